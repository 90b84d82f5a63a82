/** A worker as it is started on a machine: the built entry point as a process, with no environment but what it is given. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export type Environment = Record<string, string | undefined>;

export class EntryPoint {
  stdout = '';
  stderr = '';
  /** Resolves with the exit code, or the signal that ended it, once all that it wrote is here. */
  readonly ended: Promise<number | string>;
  private readonly child: ChildProcess;

  /** @param name `edge` or `central` */
  constructor(name: string, args: readonly string[], env: Environment) {
    const file = resolve(__dirname, '../../dist/workers', `${name}.js`);
    if (!existsSync(file)) throw new Error(`${file} is not there: run npm run build first.`);
    this.child = spawn(process.execPath, [file, ...args], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = once(this.child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves once its log has a line of this message. */
  async says(message: string): Promise<void> {
    while (!this.stdout.includes(`"msg":"${message}"`)) {
      if (this.child.exitCode !== null) throw new Error(`It ended:\n${this.stdout}${this.stderr}`);
      await pause(20);
    }
  }

  end(signal: NodeJS.Signals): Promise<number | string> {
    this.child.kill(signal);
    return this.ended;
  }
}
