/**
 * What the operating system says of processes. A pid alone proves nothing, since it is given out again: a process is
 * known by its pid and the moment it started. Linux tells both in /proc; elsewhere `ps` does.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorCode } from './error-code';

/** A process, and with it the process group it leads. `started` is opaque: equal for the same process only. */
export interface ProcessId {
  pid: number;
  started: string;
}

interface ProcessEntry extends ProcessId {
  group: number;
  /** Ended, and only waiting for its parent to notice. */
  ended: boolean;
}

const run = promisify(execFile);
const hasProc = existsSync('/proc/self/stat') && existsSync('/proc/sys/kernel/random/boot_id');
let bootId: Promise<string> | undefined;

/** Which process has this pid now; `undefined` when none does that still runs. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  const entry = await lookUp(pid);
  return entry === undefined || entry.ended ? undefined : { pid, started: entry.started };
}

/** Whether this very process runs. */
export async function isRunning({ pid, started }: ProcessId): Promise<boolean> {
  return (await identify(pid))?.started === started;
}

/** Whether anything runs of the process group that `leader` leads or, if it has ended, once led. */
export async function isGroupRunning(leader: ProcessId): Promise<boolean> {
  const entry = await lookUp(leader.pid);
  if (entry?.started === leader.started && !entry.ended) return true;
  // No pid is given out again while a group bears its number: who has this pid now shows that the group is gone.
  if (entry !== undefined && entry.started !== leader.started) return false;
  if (!signalGroup(leader, 0)) return false;
  return (await everyProcess()).some(({ group, ended }) => group === leader.pid && !ended);
}

/** Sends a signal to the group of `leader`; `false` when there is no such group. */
export function signalGroup({ pid }: Pick<ProcessId, 'pid'>, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    if (errorCode(error) === 'EPERM') return true;
    throw error;
  }
}

function lookUp(pid: number): Promise<ProcessEntry | undefined> {
  return hasProc ? readProc(pid) : askPs(['-p', String(pid)]).then(([entry]) => entry);
}

async function everyProcess(): Promise<ProcessEntry[]> {
  if (!hasProc) return askPs(['-A']);
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  return (await Promise.all(pids.map(readProc))).filter((entry) => entry !== undefined);
}

async function readProc(pid: number): Promise<ProcessEntry | undefined> {
  bootId ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim());
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field, the program's name, may hold anything, also blanks and brackets: count from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', , group] = fields;
  const [threads, ticks] = [fields[17], fields[19]];
  if (ticks === undefined) return undefined;
  // A process that was killed may end thread by thread: until the last one has, its ports and files are still open.
  const ended = /[ZX]/.test(state) && Number(threads) <= 1;
  return { pid, group: Number(group), ended, started: `${await bootId}/${ticks}` };
}

/** The same from `ps`. */
export async function askPs(selection: readonly string[]): Promise<ProcessEntry[]> {
  const columns = ['pid', 'pgid', 'stat', 'lstart'].flatMap((name) => ['-o', `${name}=`]);
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
  const { stdout } = await run('ps', [...selection, ...columns], { env }).catch(() => ({ stdout: '' }));
  return stdout.split('\n').flatMap((line) => {
    const [, pid, group, state, started] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*\S)\s*$/.exec(line) ?? [];
    if (state === undefined || started === undefined) return [];
    return [{ pid: Number(pid), group: Number(group), ended: state.startsWith('Z'), started }];
  });
}
