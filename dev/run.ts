/** Running helper programs, such as compilers, to their end. */
import { spawn } from 'node:child_process';
import { errorCode } from '../nodes/error-code';
import { signalGroup } from '../nodes/process-table';
import { timeLimit } from '../time/limit';

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
      if (child.pid !== undefined) signalGroup({ pid: child.pid }, 'SIGKILL');
    };
    const timeout = timeoutMs === undefined ? undefined : timeLimit(timeoutMs);
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
  return errorCode(error) === 'ENOENT' ? new Error(`${command} is not installed`) : error;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' | ');
}
