/**
 * Keeps the parts of a stack running. Each part is a process that leads a group of its own and writes to a log file.
 * One that ends by itself is started again, later and later as long as it does not stay up. Stopping goes the other
 * way round than starting, and whatever ends this process, short of SIGKILL, no part is left behind.
 */
import { SupervisedPart, type Part } from './part';
import type { Entry } from './roster';

export interface SupervisorOptions {
  /** Tells a person what happened to a part that was up. */
  say: (line: string) => void;
  /** Called whenever a part has got another process, or none; one call after the other. */
  changed: (entries: readonly Entry[]) => Promise<void>;
}

export class Supervisor {
  private readonly parts = new Map<string, SupervisedPart>();
  private published = Promise.resolve();

  constructor(private readonly options: SupervisorOptions) {}

  /** Starts a part and resolves when it is ready; rejects when it ends or is not ready in time, and leaves nothing then. */
  async start(part: Part, signal: AbortSignal): Promise<void> {
    if (this.parts.has(part.name)) throw new Error(`${part.name} is running already`);
    const supervised = new SupervisedPart(part, this.options.say, () => this.publish());
    if (this.parts.size === 0) process.on('exit', this.killAll);
    this.parts.set(part.name, supervised);
    try {
      await supervised.start(signal);
    } catch (error) {
      await this.stop(part.name);
      throw error;
    }
  }

  /** Stops a part: asks, waits, then kills. A part that is not there is stopped already. */
  async stop(name: string): Promise<void> {
    const part = this.parts.get(name);
    if (part === undefined) return;
    await part.stop();
    this.parts.delete(name);
    if (this.parts.size === 0) process.off('exit', this.killAll);
    await this.publish();
  }

  /** Stops every part, the last started first. */
  async stopAll(): Promise<void> {
    for (const name of [...this.parts.keys()].reverse()) await this.stop(name);
  }

  private publish(): Promise<void> {
    this.published = this.published.then(() =>
      this.options.changed([...this.parts.values()].flatMap((part) => part.entry ?? [])),
    );
    return this.published;
  }

  private readonly killAll = (): void => {
    for (const part of this.parts.values()) part.kill();
  };
}
