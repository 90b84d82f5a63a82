/**
 * Everything that one launch needs, real but for the central API, which signs and seals as the real one does: an object store, a central host and sites with process
 * nodes, and a computation made of shell scripts. Hosts are made anew as often as a test likes, over the same folders, as
 * a restarted worker is.
 */
import { createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Logger } from 'pino';
import {
  CENTRAL_INPUTS,
  CENTRAL_SILENT,
  createCentralActivities,
  createHostActivities,
  type CentralHost,
} from '../../activities/central';
import { EDGE_INPUTS, createEdgeActivities, type EdgeHost } from '../../activities/edge';
import { Approvals } from '../../activities/edge/approvals';
import type { SiteRules } from '../../activities/edge/site-rules';
import type { NodeHost } from '../../activities/shared/host';
import { LaunchFolders } from '../../activities/shared/launch-folders';
import { createCentralApi } from '../../client/central-api';
import { connectEngine, createHostImages, createNodeRuntimes, createPortLedger } from '../../nodes';
import type { ObjectStore } from '../../storage';
import { openContentKey, sealContentKey } from '../../sealing/content-key';
import { computationDigest, signManifest, type LaunchManifest } from '../../sealing/launch-manifest';
import { manifestOf } from '../../server/runs/signed-launches';
import { createLog } from '../../workers/run-workers';
import { RunKitsBody, type ErrorReportBody, type RunKitAccess } from '../../workflows/api-contract';
import {
  CENTRAL_NODE,
  type CentralActivities,
  type Computation,
  type EdgeActivities,
  type HostActivities,
  type Kit,
  type NodeComputation,
  type ProvisionInput,
  type RunInputDraft,
} from '../../workflows/contract';
import { ContractServer, json, problem, type Answer } from '../support/contract-server';
import { testObjectStore } from '../support/object-store';
import { runInput } from '../support/run-input';
import { TestWorker } from './worker';

/** What the computation's commands do, as shell scripts. */
export interface Scripts {
  provision: string;
  central: string;
  edge: string;
}

/** Every start is noted, so that a second one shows. */
const note = (what: string) => `echo ${what} >> starts\n`;

/** Makes the kits, and leaves a secret beside them as real provisioning does. */
export const PROVISION = `${note('provision')}cd "$PROVISION_DIR"
echo secret > ca.key
for kit in centralNode $(grep -o '"id":"[a-z0-9-]*"' provision_input.json | cut -d'"' -f4); do
  mkdir -p "runKits/$kit"
  echo "the kit of $kit" > "runKits/$kit/name"
  cp provision_input.json "runKits/$kit"
done
`;
export const CENTRAL = `${note('central')}cat "$RUN_KIT_DIR/name" > "$OUTPUT_DIR/result.txt"
`;
export const EDGE = `${note('"$MUSTER_NODE"')}cat "$RUN_KIT_DIR/name" "$DATA_DIR/rows.csv" > "$OUTPUT_DIR/result.txt"
`;
/** Says that it is up by a file in its output folder, and stays until it is stopped. */
export const STAY = `${note('"$MUSTER_NODE"')}touch "$OUTPUT_DIR/up"; exec sleep 1000\n`;

const COMMANDS = {
  provision: ['sh', 'provision.sh'],
  central: ['sh', 'central.sh'],
  edge: ['sh', 'edge.sh'],
};
/** Where no launch of another test file listens. */
const PORTS = { first: 23_000, last: 23_999 };

type CentralWorker = TestWorker<CentralActivities & HostActivities>;
type EdgeWorker = TestWorker<EdgeActivities>;

export class Stage {
  readonly runId = `run-${randomBytes(4).toString('hex')}`;
  readonly launchId = randomBytes(6).toString('hex');
  readonly api = new ContractServer();
  /** By which the instance signs. */
  signingKey = generateKeyPairSync('ed25519').privateKey;
  /** What was told of the kits of each launch. */
  readonly kits = new Map<string, RunKitsBody>();
  /** The consortium that the run is of. */
  readonly consortium = { id: 'palmer', name: 'Palmer' };
  /** What the API answers whoever asks for a kit, where a test wants it to be something else. */
  access = (access: RunKitAccess): RunKitAccess => access;
  /** What the API signs, likewise. */
  sign = (manifest: LaunchManifest): LaunchManifest => manifest;
  private readonly siteKeys = new Map<string, KeyObject>();
  /** What the workers wrote into their logs, a JSON line each. */
  readonly log: string[] = [];
  /** What a host's administrator wrote; may be changed at any time. */
  policy: Omit<SiteRules, 'site'>;

  private constructor(
    private readonly root: string,
    readonly store: ObjectStore,
  ) {
    this.policy = {
      file: 'site.yaml',
      computations: [{ name: 'example', runtime: 'process', folder: this.path('computation') }],
      resources: {},
      logs: 'on-error',
      results: 'listed',
      datasets: { data: this.path('data') },
      approval: 'auto',
      quietHours: [],
    };
  }

  static async open(scripts: Partial<Scripts> = {}): Promise<Stage> {
    const stage = new Stage(await mkdtemp(join(tmpdir(), 'muster-activities-')), await testObjectStore());
    await mkdir(stage.path('computation'));
    await mkdir(stage.path('data'));
    await writeFile(stage.path('data/rows.csv'), 'a,b\n1,2\n');
    await stage.write({ provision: PROVISION, central: CENTRAL, edge: EDGE, ...scripts });
    stage.api.answer = stage.answer;
    await stage.api.start();
    return stage;
  }

  /** Ends whatever still runs, and leaves nothing. */
  async close(): Promise<void> {
    for (const { process } of (await this.hosts()).map(({ runtimes }) => runtimes))
      for (const ref of await process.list()) await process.remove(ref);
    await this.api.stop();
    await rm(this.root, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.root, name);
  }

  async write(scripts: Partial<Scripts>): Promise<void> {
    for (const [name, script] of Object.entries(scripts))
      await writeFile(this.path(`computation/${name}.sh`), script);
  }

  // ---------------------------------------------------------------- hosts

  /** A central worker as it is after a start: it remembers nothing but what is in its folders. */
  central(more: Partial<CentralHost> = {}): CentralWorker {
    const host = { ...this.centralHost(), ...more };
    const own = createHostActivities(host);
    return new TestWorker(
      // Only signalEdgeClients speaks to Temporal, and it is tested with the workflows.
      { ...createCentralActivities(host, own, new Client({ connection: Connection.lazy() })), ...own },
      {
        log: this.logger(),
        inputs: CENTRAL_INPUTS,
        ownNode: CENTRAL_NODE,
        silent: CENTRAL_SILENT,
        reportError: (runId, body, signal) => host.api.reportErrorCentral(runId, body, signal),
      },
    );
  }

  /** A site's edge worker as it is after a start. */
  site(siteId: string, more: Partial<EdgeHost> = {}): EdgeWorker {
    const host = { ...this.edgeHost(siteId), ...more };
    return new TestWorker(createEdgeActivities(host), {
      log: this.logger(),
      inputs: EDGE_INPUTS,
      ownNode: siteId,
      silent: [],
      reportError: (runId, body, signal) => host.api.reportErrorEdge(runId, body, signal),
    });
  }

  centralHost(): CentralHost {
    const ports = createPortLedger({ file: this.path('central/ports.json'), range: PORTS });
    const { store } = this;
    return { ...this.nodeHost('central'), hostId: 'test', centralName: undefined, ports, store };
  }

  edgeHost(siteId: string): EdgeHost {
    return {
      ...this.nodeHost(siteId),
      siteId,
      identity: this.identityOf(siteId),
      policy: () => Promise.resolve({ ...this.policy, site: siteId }),
      approvals: new Approvals(this.path(siteId)),
    };
  }

  /** As the site has it since it joined. */
  private identityOf(siteId: string): EdgeHost['identity'] {
    const instanceKey = createPublicKey(this.signingKey).export({ type: 'spki', format: 'pem' }).toString();
    return { instanceKey, openSealed: (sealed) => openContentKey(sealed, this.siteKey(siteId)) };
  }

  siteKey(siteId: string): KeyObject {
    const known = this.siteKeys.get(siteId);
    const key = known ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    this.siteKeys.set(siteId, key);
    return key;
  }

  nodeHost(name: string): NodeHost {
    const state = this.path(name);
    return {
      runtimes: createNodeRuntimes({ stateDir: state }),
      chooseRuntime: (kind) => Promise.resolve(kind === 'auto' ? 'process' : kind),
      images: createHostImages(connectEngine()),
      folders: new LaunchFolders(state, join(state, 'results')),
      policy: () => Promise.resolve(this.policy),
      api: createCentralApi({ url: this.api.url, token: 'token-of-a-worker' }),
      fetchKit: fetch,
      nodeApiUrl: { docker: 'http://host.docker.internal', process: this.api.url },
    };
  }

  private async hosts(): Promise<NodeHost[]> {
    return (await readdir(this.root)).map((name) => this.nodeHost(name));
  }

  private logger(): Logger {
    return createLog('test', 'info', { write: (line) => void this.log.push(line) });
  }

  // ---------------------------------------------------------------- the central API

  /** Gives kits out of the store, and takes everything else in. */
  readonly answer: Answer = (request, response) => {
    const [, start] = /\/log\?start=(\d+)$/.exec(request.path) ?? [];
    if (start !== undefined) {
      json(200, { next: Number(start) + (request.body as Buffer).length })(request, response);
      return;
    }
    const [, launchId = '', kit] = /\/launches\/([^/]+)\/kits(?:\/([^/]+))?$/.exec(request.path) ?? [];
    if (kit === undefined) {
      if (launchId !== '' && request.method === 'PUT')
        this.kits.set(launchId, RunKitsBody.parse(request.body));
      if (launchId !== '' && request.method === 'DELETE') this.kits.delete(launchId);
      response.writeHead(204).end();
      return;
    }
    void this.giveKit(kit, launchId).then((answer) => answer(request, response));
  };

  private async giveKit(node: string, launchId: string): Promise<Answer> {
    const key = `runs/${this.runId}/${launchId}/kits/${node}.zip`;
    if ((await this.store.stat(key)) === undefined) return problem(404, 'Unknown kit');
    const sealed = node === CENTRAL_NODE ? undefined : await this.sealedFor(node, launchId);
    const access: RunKitAccess = {
      url: await this.store.presignGet(key, 60),
      reportPath: `/api/runs/${this.runId}/nodes/${node}/report`,
      reportToken: `token-of-${node}`,
      ...(sealed && { sealed }),
    };
    return json(200, this.access(access));
  }

  private async sealedFor(node: string, launchId: string): Promise<RunKitAccess['sealed']> {
    const { computation = '', kits = [] } = this.kits.get(launchId) ?? {};
    const told = kits.find((kit) => kit.node === node);
    if (told === undefined) return undefined;
    const kit = { ...told, computation, key: Buffer.from(told.key, 'base64url') };
    const run = { consortium: this.consortium, computation: this.computation() };
    const known = { launch: { runId: this.runId, launchId, node }, run, kit };
    return {
      manifest: await signManifest(this.sign(manifestOf(known, Date.now(), 300)), this.signingKey),
      contentKey: await sealContentKey(kit.key, createPublicKey(this.siteKey(node))),
    };
  }

  /** Errors that were reported, in the order in which they came. */
  reported(): { path: string; body: ErrorReportBody }[] {
    return this.api.seen
      .filter(({ path }) => path.includes('/errors/'))
      .map(({ path, body }) => ({ path, body: body as ErrorReportBody }));
  }

  // ---------------------------------------------------------------- inputs

  get launch() {
    return { runId: this.runId, launchId: this.launchId };
  }

  /** A site of the run, as the run knows it. */
  member = (id: string) => ({ id, name: `Site ${id}`, dataset: 'data' });

  computation(more: Partial<RunInputDraft['computation']> = {}): Computation {
    const computation = { name: 'example', version: '1.0.0', commands: COMMANDS, ...more };
    return runInput(['a'], { computation }).computation;
  }

  nodeComputation(more: Partial<RunInputDraft['computation']> = {}): NodeComputation {
    const {
      parameters: _parameters,
      provisionInput: _provisionInput,
      ...computation
    } = this.computation(more);
    return computation;
  }

  provisionInput(
    siteIds: readonly string[],
    more: Partial<RunInputDraft['computation']> = {},
  ): ProvisionInput {
    const sites = siteIds.map(this.member);
    return { ...this.launch, computation: this.computation(more), parameters: { rounds: 3 }, sites };
  }

  /** What a site keeps of a launch of this computation that the centre has signed. */
  signedTerms(computation: NodeComputation) {
    const digest = computationDigest(computation);
    return { consortium: this.consortium.id, computation: digest, dataset: this.member('a').dataset };
  }

  /** Has the central host make and publish the kits. */
  async publish(
    siteIds: readonly string[],
    more: Partial<RunInputDraft['computation']> = {},
  ): Promise<{ ports: number[]; kit: (node: string) => Kit }> {
    const central = this.central();
    const { endpoint } = await central.do('provisionProject', this.provisionInput(siteIds, more));
    const { kits } = await central.do('publishRunKits', { ...this.launch, sites: [...siteIds] });
    const kit = (node: string) => kits.find((kit) => kit.node === node)!;
    return { ports: endpoint.ports, kit };
  }

  // ---------------------------------------------------------------- what is there

  /** Nodes that were started, in order. */
  async starts(): Promise<string[]> {
    const text = await readFile(this.path('computation/starts'), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }

  result(host: string, name = 'result.txt'): Promise<string> {
    return readFile(this.path(`${host}/results/${this.runId}/${this.launchId}/${name}`), 'utf8');
  }

  /** Every file and folder that a host keeps besides results. */
  async kept(host: string): Promise<string[]> {
    const names = await readdir(this.path(host), { recursive: true }).catch(() => []);
    return names.filter((name) => name.startsWith('launches/') || name.startsWith('nodes/')).sort();
  }
}

/** The failure that `work` ends with. */
export async function failureOf(work: Promise<unknown>): Promise<{
  type: string | undefined;
  message: string;
  nonRetryable: boolean | undefined;
}> {
  const error: unknown = await work.then(
    (value) => {
      throw new Error(`It did not fail: ${JSON.stringify(value)}`);
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error(`It threw ${String(error)}`);
  const { type, nonRetryable } = error as { type?: string; nonRetryable?: boolean };
  return { type, message: error.message, nonRetryable };
}
