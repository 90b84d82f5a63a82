/**
 * What a host keeps of a launch on disk: the private copy of the kit, what the runtime was, and whether the launch was
 * stopped. All of it is found again by run and launch, so a restarted worker goes on where the last one was.
 */
import { chmod, mkdir, readFile, readdir, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { removeOwn } from '../../nodes';
import { LaunchRef, SiteId, type NodeRef } from '../../workflows/contract';
import { writeWhole } from './write-whole';

/**
 * How the nodes of a launch run here, what was agreed on, and by what this host's node may report on itself. The token stays
 * on this disk.
 */
const LaunchRecord = z.strictObject({
  runtime: z.enum(['docker', 'process']).optional(),
  reportPath: z.string().optional(),
  reportToken: z.string().optional(),
  /** The node was running when it was told to stop: how it ended after that is not its own doing. */
  stoppedRunning: z.boolean().optional(),
  /** Of a launch whose kits were made here: what it runs, and on which dataset at each site. */
  made: z.strictObject({ computation: z.string(), datasets: z.record(SiteId, z.string()) }).optional(),
  /** At a site: on which terms the centre said, by its signature, that this launch is. */
  signed: z.strictObject({ consortium: z.string(), computation: z.string(), dataset: z.string() }).optional(),
});
export type LaunchRecord = z.output<typeof LaunchRecord>;

const STOPPED = 'stopped';

/** What is here of one launch. */
export interface KeptLaunch {
  ref: LaunchRef;
  /** Since when nothing is kept of it but the mark that it was stopped, in milliseconds since the epoch. */
  onlyMarkedSince?: number;
}

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
  /** The kits that were made and are to be published. */
  outgoing = (ref: LaunchRef) => join(this.base(ref), 'outgoing');
  /** What was published; it is there once the kits need not be here any more. */
  receipt = (ref: LaunchRef) => join(this.base(ref), 'published.json');
  /** What each of the kits is sealed with. */
  kitKeys = (ref: LaunchRef) => join(this.base(ref), 'kit-keys.json');
  /** The launches of single sites that were given kits of this one. */
  handedOn = (ref: LaunchRef) => join(this.base(ref), 'handed-on.json');
  /** The kit as it was downloaded, sealed. */
  sealedKit = (ref: LaunchRef) => join(this.base(ref), 'kit.sealed');
  kitZip = (ref: LaunchRef) => join(this.base(ref), 'kit.zip');
  /** The node's own copy of the kit. */
  kit = (ref: LaunchRef) => join(this.base(ref), 'kit');
  /** The node's results; they outlive the launch. */
  output = ({ runId, launchId }: LaunchRef) => join(this.results, runId, launchId);
  /** The node's log, beside its results; it outlives the launch like them. */
  log = ({ runId, launchId, node }: NodeRef) => join(this.results, runId, `${launchId}.${node}.log.gz`);
  /** How far the log was kept and sent. */
  logState = (ref: NodeRef) => join(this.base(ref), `${ref.node}.log.json`);

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

  async addToRecord(ref: LaunchRef, more: LaunchRecord): Promise<void> {
    await this.open(ref);
    await writeWhole(this.recordFile(ref), JSON.stringify({ ...(await this.readRecord(ref)), ...more }));
  }

  /** From now on no node of this launch is started here. */
  async markStopped(ref: LaunchRef): Promise<void> {
    await this.open(ref);
    await writeFile(join(this.base(ref), STOPPED), '');
  }

  async isStopped(ref: LaunchRef): Promise<boolean> {
    return (await stat(join(this.base(ref), STOPPED)).catch(absent)) !== undefined;
  }

  /** Removes everything of the launch but its results and, if there is one, the mark that it was stopped. */
  async clear(ref: LaunchRef): Promise<void> {
    const base = this.base(ref);
    const names = (await readdir(base).catch(absent)) ?? [];
    for (const name of names.filter((name) => name !== STOPPED)) await removeOwn(join(base, name));
    // Stays where the mark is in it.
    await rmdir(base).catch(() => undefined);
  }

  /** Removes the mark, too. Only for a launch that is so long over that no start of it can still arrive. */
  async forget(ref: LaunchRef): Promise<void> {
    await removeOwn(this.base(ref));
  }

  /** Every launch of which something is here besides its results. */
  async list(): Promise<KeptLaunch[]> {
    const names = (await readdir(this.root()).catch(absent)) ?? [];
    const refs = names.flatMap((name) => {
      const [runId, launchId] = name.split('.');
      return LaunchRef.safeParse({ runId, launchId }).data ?? [];
    });
    return Promise.all(refs.map((ref) => this.look(ref)));
  }

  private async look(ref: LaunchRef): Promise<KeptLaunch> {
    const names = (await readdir(this.base(ref)).catch(absent)) ?? [];
    const mark = await stat(join(this.base(ref), STOPPED)).catch(absent);
    if (mark === undefined || names.some((name) => name !== STOPPED)) return { ref };
    return { ref, onlyMarkedSince: mark.mtimeMs };
  }

  private root = () => join(this.state, 'launches');
  private base = ({ runId, launchId }: LaunchRef) => join(this.root(), `${runId}.${launchId}`);
  private recordFile = (ref: LaunchRef) => join(this.base(ref), 'launch.json');
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
