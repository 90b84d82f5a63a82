/**
 * A local stack whose parts can be hurt: each is a process of its own, started as `muster dev` starts it, and comes back
 * as it would under a process manager, or not before it is let.
 */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import { createMusterApi, type MusterApi } from '../../client';
import type { Fetch } from '../../client/central-api';
import { createStoreFetch } from '../../client/site-transport';
import { allowComputation, ensureComputationsFile } from '../../dev/computations-file';
import type { AllowedComputation } from '../../dev/computations-file';
import { endNodes } from '../../dev/end-nodes';
import { ensureJoined } from '../../dev/join-stack';
import { writeWhole } from '../../dev/files';
import type { Part } from '../../dev/part';
import { edgeWorkerPart, type Wiring } from '../../dev/parts';
import { choosePlace, type Place } from '../../dev/place';
import { publishRoster, type Entry } from '../../dev/roster';
import { startStack } from '../../dev/start-stack';
import { loadSecrets, statePaths, type Secrets, type StatePaths } from '../../dev/state';
import { Supervisor } from '../../dev/supervisor';
import { mintToken } from '../../dev/tokens';
import type { AccessClaims } from '../../workflows/api-contract';
import { descendants } from './descendants';
import { historiesOf } from '../support/sealed';
import { kill } from '../support/kill';
import { until } from './waiting';

const TOKEN_LIFETIME = '1d';
const START_AGAIN_MS = 200;
const BACK_MS = 120_000;

export interface FaultStackOptions {
  /** An empty folder. */
  state: string;
  /** Each with the folder of its data, by the consortium's name for it. */
  sites: Readonly<Record<string, Readonly<Record<string, string>>>>;
  allowed: AllowedComputation;
  say: (line: string) => void;
  /** Parts that are there before all others. */
  first?: readonly Part[];
  /** Added to the environment of a part. */
  env?: (part: string) => Record<string, string>;
  /** Where edge workers find the others, if not where they are. */
  seenFromSites?: (place: Place) => Wiring;
  /** Called once it is known where all parts will be, before any is there. */
  placed?: (place: Place) => Promise<void>;
}

/** Remembers the parts that it was given, and their processes. */
class RememberingSupervisor extends Supervisor {
  readonly known = new Map<string, Part>();
  entries: readonly Entry[] = [];

  constructor(
    paths: StatePaths,
    say: (line: string) => void,
    private readonly dress: (part: Part) => Part,
  ) {
    super({
      say,
      changed: (entries) => {
        this.entries = entries;
        return publishRoster(paths, entries);
      },
    });
  }

  override async start(part: Part, signal: AbortSignal): Promise<void> {
    this.known.set(part.name, part);
    // A start begins a new log.
    const before = await readFile(part.logFile).catch(() => undefined);
    if (before !== undefined) await appendFile(`${part.logFile}.before`, before);
    return super.start(this.dress(part), signal);
  }
}

export class FaultStack {
  private readonly closing = new AbortController();

  private constructor(
    readonly paths: StatePaths,
    readonly sites: readonly string[],
    readonly api: MusterApi,
    readonly temporal: Client,
    private readonly supervisor: RememberingSupervisor,
    /** By which the results in the object store are had. */
    readonly fetchStored: Fetch,
    private readonly connection: Connection,
    private readonly first: ReadonlySet<string>,
  ) {}

  /** Resolves when every part and every site's edge worker is up. */
  static async open(options: FaultStackOptions): Promise<FaultStack> {
    const { state, say, first = [], allowed, env } = options;
    const paths = statePaths(state);
    const dress = (part: Part): Part => ({ ...part, env: { ...part.env, ...env?.(part.name) } });
    const supervisor = new RememberingSupervisor(paths, say, dress);
    const { signal } = new AbortController();
    try {
      for (const part of first) await supervisor.start(part, signal);
      const secrets = await loadSecrets(paths);
      await ensureComputationsFile(paths.computations);
      await allowComputation(paths.computations, allowed);
      const place = await choosePlace(paths, secrets, {});
      await options.placed?.(place);
      const progress = { starting: nothing, doing: nothing, up: nothing, notice: say };
      await startStack({ paths, place, secrets, supervisor, progress, signal, env: process.env });
      await startSites(options, paths, place, secrets, supervisor);
      const token = await mintToken(secrets.api, { role: 'admin', sub: 'faults' }, TOKEN_LIFETIME);
      const api = createMusterApi({ url: place.api.url, token });
      const { address, namespace } = place.temporal;
      const connection = await Connection.connect({ address });
      const names = new Set(first.map(({ name }) => name));
      const client = new Client({ connection, namespace, dataConverter: await historiesOf(state) });
      const { ca } = place.objectStore;
      const fetchStored = createStoreFetch(ca && (await readFile(ca, 'utf8')), {});
      const siteIds = Object.keys(options.sites);
      return new FaultStack(paths, siteIds, api, client, supervisor, fetchStored, connection, names);
    } catch (error) {
      await supervisor.stopAll();
      throw error;
    }
  }

  /** The parts that are processes now. */
  get running(): readonly Entry[] {
    return this.supervisor.entries;
  }

  /** Sends a signal to a part; it is started again if that ends it. `all`: to what it has started, too. */
  async signal(name: string, signal: NodeJS.Signals, { all = false } = {}): Promise<void> {
    const { pid } = this.entry(name);
    for (const each of all ? [pid, ...(await descendants(pid))] : [pid]) kill(each, signal);
  }

  /** Kills a part and starts it again after `ms`; resolves when it is up. */
  async down(name: string, ms: number): Promise<void> {
    const part = this.supervisor.known.get(name);
    if (part === undefined) throw new Error(`there is no part ${name}`);
    kill(this.entry(name).pid, 'SIGKILL');
    // Before it is started again by itself.
    await this.supervisor.stop(name);
    await sleep(ms);
    while (!this.closing.signal.aborted) {
      const failed = await this.supervisor.start(part, this.closing.signal).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failed === undefined) return;
      // What it needs may itself be down.
      await sleep(START_AGAIN_MS);
    }
  }

  /** Resolves when the part has another process than `pid`. */
  async backWithout(name: string, pid: number): Promise<void> {
    const isBack = () => this.running.some((entry) => entry.name === name && entry.pid !== pid) || undefined;
    await until(`${name} is back`, BACK_MS, isBack);
  }

  entry(name: string): Entry {
    const entry = this.running.find((running) => running.name === name);
    if (entry === undefined) throw new Error(`${name} has no process now`);
    return entry;
  }

  /** Stops everything, and every node that is left; `last` is done when only the parts that came first are there. */
  async close(last?: () => Promise<void>): Promise<void> {
    this.closing.abort();
    await this.connection.close();
    const rest = this.running.filter(({ name }) => !this.first.has(name)).toReversed();
    for (const { name } of rest) await this.supervisor.stop(name);
    await endNodes(this.paths);
    await last?.();
    await this.supervisor.stopAll();
  }
}

async function startSites(
  { sites, allowed, seenFromSites }: FaultStackOptions,
  paths: StatePaths,
  place: Place,
  secrets: Secrets,
  supervisor: Supervisor,
): Promise<void> {
  const { signal } = new AbortController();
  const wiring = seenFromSites?.(place) ?? place;
  await Promise.all(
    Object.entries(sites).map(async ([siteId, datasets]) => {
      await mkdir(paths.site(siteId), { recursive: true });
      const siteFile = join(paths.site(siteId), 'site.yaml');
      const { apiUrl: api, gateway } = wiring.sites;
      const who = { site: siteId, gateway, api, identity: paths.identity(siteId), reports: wiring.api.url };
      await writeWhole(siteFile, stringify({ ...who, computations: [allowed], datasets, logs: 'stream' }));
      const mint = (claims: AccessClaims) => mintToken(secrets.api, claims, TOKEN_LIFETIME);
      await ensureJoined({ paths, api: place.api, sites: place.sites, mint }, siteId);
      await supervisor.start(edgeWorkerPart(paths, wiring, { siteId, siteFile }), signal);
    }),
  );
}

const nothing = () => undefined;
