/** Operating system processes: which one a pid means, and running or ending whole groups of them. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** One process for ever: a pid is given out again, a pid with its start time is not. */
export const ProcessIdentity = z.object({ pid: z.int().positive(), startTime: z.string() });
export type ProcessIdentity = z.output<typeof ProcessIdentity>;

/** Who has this pid now; `undefined` when nobody does, or only a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** This process. */
export function self(): ProcessIdentity {
  return identify(process.pid) ?? { pid: process.pid, startTime: '' };
}

/** Signals every process of the group that `leader` leads; a group that is gone is no error. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function startTimeFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; the state and, 19 fields later, the start time follow it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startTimeFromPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const [state, ...startTime] = stdout.trim().split(/\s+/);
  return !state || state.startsWith('Z') ? undefined : startTime.join(' ');
}

/** How a helper program is to run. */
export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
}

/**
 * Runs a helper program to its end and answers with what it wrote; an error carries the last of what it said. When
 * the signal aborts or the time is over, the program and all that it started are killed.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { signal, timeoutMs, cwd, env } = options;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = () => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    };
    const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const given = [signal, timeout].filter((one) => one !== undefined);
    const giveUp = AbortSignal.any(given);
    giveUp.addEventListener('abort', kill);
    process.once('exit', kill);

    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err = (err + text).slice(-2000)));
    const settle = (failure: Error | undefined) => {
      process.off('exit', kill);
      giveUp.removeEventListener('abort', kill);
      if (signal?.aborted) reject(signal.reason as Error);
      else if (timeout?.aborted)
        reject(new Error(`${command} did not end within ${(timeoutMs ?? 0) / 1000} s`));
      else if (failure) reject(failure);
      else resolve(out.trim());
    };
    child.once('error', (error) => settle(notStarted(command, error)));
    child.once('close', (code) =>
      settle(
        code === 0
          ? undefined
          : new Error(lastLines(err) || `${command} ended with exit code ${code ?? 'none'}`),
      ),
    );
  });
}

function notStarted(command: string, error: Error): Error {
  return 'code' in error && error.code === 'ENOENT' ? new Error(`${command} is not installed`) : error;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' | ');
}
