/**
 * The keeper: a tiny shell that stands between the worker and a node's process. It leads a session and process group
 * of its own, so the node outlives the worker; it decides by one exclusively created file who starts the node, so two
 * workers never start it twice; and it writes down how the node ended, so a worker that was not there learns of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './error-code';
import type { ProcessId } from './process-table';

/**
 * Signals to the group are caught and not ignored: the command gets them with their usual effect, and the keeper
 * stays to see its end. Only builtins are used, so no process is started but the command. Closing descriptor 3 tells
 * the worker that the claim is decided. What the command left running ends with it, as it would in a container.
 */
const SCRIPT = `
umask 077
trap : HUP INT QUIT TERM
keeper_ticks() { shift 19; keeper_started=$keeper_boot/$1; }
if read -r keeper_stat </proc/$$/stat && read -r keeper_boot </proc/sys/kernel/random/boot_id; then
  keeper_ticks \${keeper_stat##*) }
else
  keeper_started=$(LC_ALL=C TZ=UTC ps -o lstart= -p $$)
fi 2>/dev/null
keeper_folder=$1
shift
set -C
{ printf '%s\\n%s\\n' "$$" "$keeper_started" >"$keeper_folder/claim"; } 2>/dev/null || exit 0
exec 3>&-
"$@"
printf '%s\\n' "$?" >"$keeper_folder/exit"
kill -KILL 0
`;

/** What a keeper is to start. */
export interface KeeperTask {
  /** Where the claim and the exit code are written. */
  folder: string;
  logFile: string;
  /** Begins with a path, so that no shell builtin answers to it. */
  command: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
}

/** Starts a keeper and resolves when the claim is decided: by this keeper or by one that was there before. */
export async function startKeeper({ folder, logFile, command, cwd, env }: KeeperTask): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await using log = await open(logFile, 'a', 0o600);
  const keeper = spawn('/bin/sh', ['-c', SCRIPT, 'muster-keeper', folder, ...command], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'pipe'],
  });
  const decided = keeper.stdio[3] as Readable;
  decided.resume();
  await Promise.race([
    once(decided, 'close'),
    once(keeper, 'error').then(([error]) => Promise.reject(error as Error)),
  ]);
  keeper.unref();
}

export interface Claim {
  /** Absent when the keeper was killed in the act. */
  keeper: ProcessId | undefined;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Far more than passes between the making of the file and the writing of its two lines. */
const CLAIM_MS = 1000;

/** Who keeps the node, if anyone does or did. */
export async function readClaim(folder: string): Promise<Claim | undefined> {
  const file = join(folder, 'claim');
  for (;;) {
    // First what it says, then since when: the file is made empty, and its time is that of the claim once it is whole.
    const text = await read(file);
    const at = await modifiedAt(file);
    if (at === undefined) return undefined;
    const [, pid, started] = /^(\d+)\n(.+)\n$/.exec(text) ?? [];
    if (started !== undefined) return { keeper: { pid: Number(pid), started: started.trim() }, at };
    if (Date.now() - at > CLAIM_MS) return { keeper: undefined, at };
    await sleep(5);
  }
}

/** How the node ended, once its keeper (or a forced stop) has written it down. */
export async function readExit(folder: string): Promise<{ code: number; at: number } | undefined> {
  const file = join(folder, 'exit');
  const [, code] = /^(\d+)\n$/.exec(await read(file)) ?? [];
  if (code === undefined) return undefined;
  return { code: Number(code), at: (await modifiedAt(file)) ?? Date.now() };
}

/** Writes down the exit code of a node whose keeper was killed along with it. */
export async function writeExit(folder: string, code: number): Promise<void> {
  if ((await readExit(folder)) !== undefined) return;
  await writeFile(join(folder, 'exit'), `${code}\n`, { mode: 0o600 }).catch((error: unknown) => {
    // The node has been removed meanwhile.
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}

const read = (file: string) => readFile(file, 'utf8').catch(() => '');
const modifiedAt = (file: string) =>
  stat(file).then(
    ({ mtimeMs }) => Math.round(mtimeMs),
    () => undefined,
  );
