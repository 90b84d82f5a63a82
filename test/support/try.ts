/**
 * `muster` as a person starts it: the built command line as a child process, with a state folder of its own. Whatever
 * a test does, everything that was started is gone after `end`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { kill } from './kill';

const CLI = join(__dirname, '../../dist/cli/main.js');
const POLL_MS = 50;

const StackProcesses = z.array(z.object({ name: z.string(), pid: z.int(), address: z.string() }));
type StackProcess = z.output<typeof StackProcesses>[number];

const Result = z.object({
  runId: z.string(),
  launchId: z.string().nullable(),
  status: z.string(),
  seconds: z.object({
    toCentralUp: z.number().nullable(),
    toLastSiteUp: z.number().nullable(),
    total: z.number().nullable(),
  }),
  outputs: z.object({ central: z.string(), sites: z.record(z.string(), z.string()) }),
  errors: z.array(z.object({ node: z.string(), type: z.string(), message: z.string() })),
});
export type TryResult = z.output<typeof Result>;

export interface MusterOptions {
  /** Added to the environment; `undefined` takes a variable away. */
  env?: Record<string, string | undefined>;
  /** A state folder to use instead of a new one; it is not removed then. */
  state?: string;
}

/** A `muster` that was started. */
export class MusterProcess {
  stdout = '';
  stderr = '';
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  private closed = false;

  private constructor(
    private readonly child: ChildProcess,
    readonly state: string,
    private readonly ownsState: boolean,
  ) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.exited = once(child, 'close').then(([code, signal]) => {
      this.closed = true;
      return (code as number | null) ?? (signal as NodeJS.Signals);
    });
  }

  /** Starts `muster ...args --state DIR`. */
  static async start(
    args: readonly string[],
    { env = {}, state }: MusterOptions = {},
  ): Promise<MusterProcess> {
    const folder = state ?? (await mkdtemp(join(tmpdir(), 'muster-try-')));
    const child = spawn(process.execPath, [CLI, ...args, '--state', folder], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new MusterProcess(child, folder, state === undefined);
  }

  /** What it and its parts are, as `processes.json` lists them now. */
  async processes(): Promise<StackProcess[]> {
    const text = await readFile(join(this.state, 'processes.json'), 'utf8').catch(() => '[]');
    return StackProcesses.parse(JSON.parse(text));
  }

  /** The part called `name`, once it is there. */
  process(name: string): Promise<StackProcess> {
    return this.until(`process ${name}`, async () =>
      (await this.processes()).find((part) => part.name === name),
    );
  }

  /** Resolves with what `look` finds; rejects when the command ends without it. */
  async until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    for (;;) {
      const last = this.closed;
      const found = await look();
      if (found !== undefined) return found;
      if (last) throw new Error(`muster ended before there was ${what}:\n${this.stdout}\n${this.stderr}`);
      await pause(POLL_MS);
    }
  }

  /** Resolves when standard output or standard error matches. */
  says(pattern: RegExp): Promise<RegExpExecArray> {
    return this.until(
      String(pattern),
      () => pattern.exec(this.stdout) ?? pattern.exec(this.stderr) ?? undefined,
    );
  }

  /** The result that `--json` printed, once the command has ended. */
  async result(): Promise<TryResult> {
    await this.exited;
    const line = this.stdout.trim().split('\n').at(-1) ?? '';
    try {
      return Result.parse(JSON.parse(line));
    } catch (error) {
      throw new Error(`No result on the last line:\n${this.stdout}\n${this.stderr}`, { cause: error });
    }
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.child.kill('SIGINT');
  }

  /** Processes of this machine that belong to the state folder, the command itself included. */
  async leftovers(): Promise<{ pid: number; command: string }[]> {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
    const found = await Promise.all(
      pids.map(async (pid) => {
        const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
        const [command, environment] = await Promise.all([read('cmdline'), read('environ')]);
        const isOurs = command.includes(this.state) || environment.includes(this.state);
        return isOurs ? [{ pid, command: command.replaceAll('\0', ' ').trim() }] : [];
      }),
    );
    return found.flat();
  }

  /** Ends it and everything that belongs to it, kindly if that works. */
  async end(): Promise<void> {
    this.child.kill('SIGTERM');
    const kindly = await Promise.race([this.exited, pause(20_000, 'late', { ref: false })]);
    if (kindly === 'late') this.child.kill('SIGKILL');
    await this.exited;
    for (const { pid } of await this.leftovers()) kill(pid, 'SIGKILL');
    if (this.ownsState) await rm(this.state, { recursive: true, force: true, maxRetries: 5 });
  }
}
