/**
 * What a host keeps of a launch on disk: the private copy of the kit, what the runtime was, and whether the launch was
 * stopped. All of it is found again by run and launch, so a restarted worker goes on where the last one was.
 */
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { LaunchRef } from '../../workflows/contract';

/** How a node of the launch runs, and by what it may report on itself. The token stays on this disk. */
const LaunchRecord = z.strictObject({
  runtime: z.enum(['docker', 'process']).optional(),
  reportPath: z.string().optional(),
  reportToken: z.string().optional(),
});
export type LaunchRecord = z.output<typeof LaunchRecord>;

export class LaunchFolders {
  /**
   * @param state private to the worker; folders of a launch are removed with it
   * @param results where output folders stay, as `<runId>/<launchId>`
   */
  constructor(
    private readonly state: string,
    private readonly results: string,
  ) {}

  /** Working folder of the provisioning node. */
  provision = (ref: LaunchRef) => join(this.base(ref), 'provision');
  /** The kit as it was downloaded. */
  kitZip = (ref: LaunchRef) => join(this.base(ref), 'kit.zip');
  /** The node's own copy of the kit. */
  kit = (ref: LaunchRef) => join(this.base(ref), 'kit');
  /** Where zips are made before they are published. */
  outgoing = (ref: LaunchRef) => join(this.base(ref), 'outgoing');
  /** The node's results; they outlive the launch. */
  output = ({ runId, launchId }: LaunchRef) => join(this.results, runId, launchId);

  /** Makes sure that the launch's private folder is there. */
  async open(ref: LaunchRef): Promise<void> {
    await mkdir(this.base(ref), { recursive: true, mode: 0o700 });
  }

  /** Makes the output folder; what is in it stays. */
  async openOutput(ref: LaunchRef): Promise<string> {
    const folder = this.output(ref);
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o700);
    return folder;
  }

  async readRecord(ref: LaunchRef): Promise<LaunchRecord> {
    const text = await readFile(this.recordFile(ref), 'utf8').catch(absent);
    return text === undefined ? {} : LaunchRecord.parse(JSON.parse(text));
  }

  /** Adds to the record, atomically. */
  async addToRecord(ref: LaunchRef, more: LaunchRecord): Promise<void> {
    await this.open(ref);
    const half = `${this.recordFile(ref)}.half`;
    await writeFile(half, JSON.stringify({ ...(await this.readRecord(ref)), ...more }), { mode: 0o600 });
    await rename(half, this.recordFile(ref));
  }

  /** From now on no node of this launch is started here. */
  async markStopped(ref: LaunchRef): Promise<void> {
    await this.open(ref);
    await writeFile(this.stoppedFile(ref), '');
  }

  async isStopped(ref: LaunchRef): Promise<boolean> {
    return (await stat(this.stoppedFile(ref)).catch(absent)) !== undefined;
  }

  /** Removes everything of the launch but its results. */
  async remove(ref: LaunchRef): Promise<void> {
    await rm(this.base(ref), { recursive: true, force: true });
  }

  private base = ({ runId, launchId }: LaunchRef) => join(this.state, 'launches', runId, launchId);
  private recordFile = (ref: LaunchRef) => join(this.base(ref), 'launch.json');
  private stoppedFile = (ref: LaunchRef) => join(this.base(ref), 'stopped');
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
