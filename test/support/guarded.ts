/**
 * Processes that tests start. Each is held by a shell that ends with it, and in which somebody waits on a pipe from us:
 * however we end, the pipe closes, and the process is killed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

const GUARD = `
exec 3<&0
"$@" 3<&- &
child=$!
{ read -r _ <&3; kill -KILL "$child"; } &
guard=$!
wait "$child"
kill "$guard"
eval "$GUARD_SWEEP"
`;

export interface Guarded {
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
  /** What it wrote so far. */
  log(): string;
  ended: boolean;
}

/**
 * Starts a process that does not outlive this one; what it writes goes to `logFile`. `sweep` is a command that removes
 * what may outlast the process.
 */
export function startGuarded(
  command: readonly string[],
  options: { env?: Record<string, string>; logFile: string; sweep?: readonly string[] | undefined },
): Guarded {
  const log = openSync(options.logFile, 'w');
  const shell: ChildProcess = spawn('sh', ['-c', GUARD, 'guard', ...command], {
    stdio: ['pipe', log, log],
    env: { ...process.env, ...options.env, GUARD_SWEEP: options.sweep?.join(' ') ?? '' },
    // A Ctrl-C in the terminal reaches us; we end the process.
    detached: true,
  });
  closeSync(log);
  const gone = new Promise<void>((resolve) => shell.once('exit', () => resolve()));
  shell.unref();
  return {
    async stop() {
      shell.ref();
      shell.stdin?.end();
      await gone;
    },
    log: () => readFileSync(options.logFile, 'utf8'),
    get ended() {
      return shell.exitCode !== null;
    },
  };
}

/** Resolves when something listens on the port; rejects with the process's own words when it ended first. */
export async function listening(
  port: number,
  guarded: Guarded,
  deadline = Date.now() + 60_000,
): Promise<void> {
  while (!(await answers(port))) {
    if (guarded.ended || Date.now() > deadline)
      throw new Error(`Nothing listens on port ${port}:\n${guarded.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
