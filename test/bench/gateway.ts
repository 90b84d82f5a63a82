/**
 * What the site gateway takes and what it withstands, as a process of its own between sites of this process and the Temporal
 * of a stack: the processor time of an activity, the memory of many sites that wait, the heartbeats of honest sites while
 * another one attacks, and the time until a site that is revoked is cut off.
 */
import { fork } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import type { Stack } from '../../dev/stack';
import { FAILURE_CONVERTER } from '../../sealing/payload-codec';
import { siteQueue } from '../../workflows/contract';
import { createTestAuthority, type TestAuthority } from '../support/certificates';
import {
  openAdmissionsApi,
  startGateway,
  type AdmissionsApi,
  type GatewayProcess,
} from '../support/gateway-process';
import {
  SERVICE,
  connectHttp2,
  connectRawSite,
  frame,
  messages,
  openStream,
  type Credentials,
  type RawSite,
} from '../server/gateway/raw-site';
import { testHistories } from '../support/sealed';
import { GATEWAY_QUEUE, ManySmall, OneHeld, type GatewayActivities } from './gateway-workflows';
import { residentBytes } from './memory';
import { processorSeconds } from './processor';

export interface GatewayFigures {
  /** Of the gateway's process, for each small activity, payloads sealed. */
  processorMsPerActivity: number;
  /** Of the gateway's process while so many sites wait for work. */
  idle: { sites: number; residentBytes: number };
  /** The slowest of a hundred heartbeats of honest sites, in milliseconds: alone, and while another site attacks. */
  heartbeatP99Ms: { alone: number; attacked: number }[];
  /** From a site's being revoked, as the API says it, to the end of the poll that it has running. */
  secondsToCutOff: number;
}

const QUIET = new DefaultLogger('ERROR');
const WARM_UP = 1_000;
const ACTIVITIES = 3_000;
/** Together they stay below the calls that each may make. */
const BUSY_SITES = 10;
const AT_ONCE = 2;
const IDLE_SITES = 1_000;
const CONNECTING_AT_ONCE = 20;
const SETTLED_MS = 3_000;
const HONEST_SITES = 5;
const BEAT_EVERY_MS = 50;
const PHASE_MS = 8_000;
const PHASES = 3;
const CUTS = 3;

export async function measureGateway(
  stack: Stack,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<GatewayFigures> {
  const step = (what: string) => {
    signal.throwIfAborted();
    say(what);
  };
  const bench = await GatewayBench.open(stack);
  try {
    step('Small activities through the gateway');
    const processorMsPerActivity = await bench.processorMsPerActivity();
    step('Heartbeats of honest sites, alone and beside one that attacks');
    const heartbeatP99Ms = await bench.heartbeats(say);
    step('Cutting off a site');
    const secondsToCutOff = await bench.secondsToCutOff();
    step(`${IDLE_SITES} sites that wait`);
    const idle = { sites: IDLE_SITES, residentBytes: await bench.idleBytes() };
    return { processorMsPerActivity, idle, heartbeatP99Ms, secondsToCutOff };
  } finally {
    await bench.close();
  }
}

class GatewayBench {
  private readonly closing: (() => unknown)[] = [];
  private readonly certified = new Map<string, Credentials>();

  private constructor(
    private readonly temporal: { address: string; namespace: string },
    private readonly folder: string,
    private readonly authority: TestAuthority,
    private readonly api: AdmissionsApi,
    private gateway: GatewayProcess,
    private readonly client: Client,
  ) {}

  static async open({ temporal }: Stack): Promise<GatewayBench> {
    Runtime.install({ logger: QUIET, shutdownSignals: [] });
    const folder = await mkdtemp(join(tmpdir(), 'muster-gateway-'));
    const [authority, api] = await Promise.all([createTestAuthority(), openAdmissionsApi()]);
    const gateway = await startGateway(folder, { authority, api, temporal });
    const connection = await Connection.connect({ address: temporal.address });
    const client = new Client({ connection, namespace: temporal.namespace, dataConverter: testHistories });
    const bench = new GatewayBench(temporal, folder, authority, api, gateway, client);
    bench.closing.push(
      () => connection.close(),
      () => rm(folder, { recursive: true, force: true }),
      () => api.close(),
      () => bench.gateway.child.kill('SIGKILL'),
    );
    await bench.runWorkflows();
    return bench;
  }

  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
  }

  async processorMsPerActivity(): Promise<number> {
    const names = Array.from({ length: BUSY_SITES }, (_, index) => `busy-${index}`);
    const stops = await Promise.all(names.map((name) => this.runSite(name)));
    try {
      await this.keepBusy(names, WARM_UP);
      const before = await processorSeconds(this.gateway.pid);
      await this.keepBusy(names, ACTIVITIES);
      return (((await processorSeconds(this.gateway.pid)) - before) / ACTIVITIES) * 1000;
    } finally {
      await Promise.all(stops.map((stop) => stop()));
    }
  }

  async heartbeats(say: (line: string) => void): Promise<GatewayFigures['heartbeatP99Ms']> {
    const names = Array.from({ length: HONEST_SITES }, (_, index) => `honest-${index}`);
    const sites = await Promise.all(names.map((name) => this.siteWithTask(name)));
    const figures: GatewayFigures['heartbeatP99Ms'] = [];
    for (let phase = 0; phase <= PHASES; phase++) {
      const alone = p99(await beat(sites));
      const stopAttack = await this.attack();
      const attacked = p99(await beat(sites));
      await stopAttack();
      say(`p99 of heartbeats: alone ${alone.toFixed(1)} ms, attacked ${attacked.toFixed(1)} ms`);
      // The first is not counted: code that was never run before is slow.
      if (phase > 0) figures.push({ alone, attacked });
      await pause(SETTLED_MS);
    }
    for (const { site, token } of sites) {
      await site.complete(token);
      site.client.close();
    }
    return figures;
  }

  async secondsToCutOff(): Promise<number> {
    let longest = 0;
    for (let cut = 0; cut < CUTS; cut++) {
      const name = `revoked-${cut}`;
      const site = await this.connect(name);
      const poll = site.poll();
      await pause(SETTLED_MS);
      const { serialNumber } = new X509Certificate((await this.credentialsOf(name)).cert);
      const began = performance.now();
      this.api.revoked = [...this.api.revoked, serialNumber.toLowerCase()];
      const { code } = await poll;
      if (code !== status.PERMISSION_DENIED) throw new Error(`a revoked site's poll ended with ${code}`);
      longest = Math.max(longest, (performance.now() - began) / 1000);
      site.client.close();
    }
    return longest;
  }

  /** In a gateway that has done nothing else. */
  async idleBytes(): Promise<number> {
    this.gateway.child.kill('SIGKILL');
    const { authority, api, temporal } = this;
    this.gateway = await startGateway(this.folder, { authority, api, temporal });
    const sessions: ClientHttp2Session[] = [];
    let ended = 0;
    for (let first = 0; first < IDLE_SITES; first += CONNECTING_AT_ONCE) {
      const names = Array.from({ length: CONNECTING_AT_ONCE }, (_, index) => `idle-${first + index}`);
      await Promise.all(
        names.map(async (name) => {
          const session = connectHttp2(this.gateway.port, await this.credentialsOf(name));
          sessions.push(session);
          await once(session, 'connect');
          const stream = openStream(session, `${SERVICE}PollActivityTaskQueue`);
          stream.end(frame(pollOf(name, this.temporal.namespace)));
          stream.once('close', () => ended++);
        }),
      );
    }
    await pause(SETTLED_MS);
    const bytes = await residentBytes(this.gateway.pid);
    if (ended > 0) throw new Error(`${ended} of ${IDLE_SITES} sites do not wait`);
    for (const session of sessions) session.destroy();
    return bytes;
  }

  /** Answers how to end it. */
  private async attack(): Promise<() => Promise<void>> {
    const folder = join(this.folder, 'hostile');
    await mkdir(folder, { recursive: true });
    const { cert, key, trusted } = await this.credentialsOf('hostile');
    for (const [name, pem] of Object.entries({ cert, key, ca: trusted }))
      await writeFile(join(folder, name), pem);
    const attacker = fork(join(__dirname, 'gateway-attacker.js'), [String(this.gateway.port), folder]);
    const ended = once(attacker, 'exit');
    await once(attacker, 'message');
    return async () => {
      if (!attacker.kill('SIGKILL')) throw new Error('the attacker has ended by itself');
      await ended;
    };
  }

  private async siteWithTask(name: string): Promise<{ site: RawSite; token: Uint8Array }> {
    const site = await this.connect(name);
    await this.client.workflow.start(OneHeld, { ...ids(), args: [siteQueue(name)] });
    const { code, task } = await site.poll();
    if (code !== status.OK) throw new Error(`${name} was given no task: ${code}`);
    return { site, token: task.taskToken };
  }

  private async connect(siteId: string): Promise<RawSite> {
    const { namespace } = this.temporal;
    return connectRawSite(this.gateway.port, { ...(await this.credentialsOf(siteId)), siteId, namespace });
  }

  private async credentialsOf(siteId: string): Promise<Credentials> {
    const known = this.certified.get(siteId);
    if (known) return known;
    const made = { ...(await this.authority.issueSite(siteId)), trusted: this.authority.cert };
    this.certified.set(siteId, made);
    return made;
  }

  private async keepBusy(sites: readonly string[], activities: number): Promise<void> {
    const each = activities / sites.length;
    const work = sites.map((site) =>
      this.client.workflow.execute(ManySmall, { ...ids(), args: [siteQueue(site), each, AT_ONCE] }),
    );
    await Promise.all(work);
  }

  /** A worker as sites run it; answers how to stop it. */
  private async runSite(site: string): Promise<() => Promise<void>> {
    const { cert, key, trusted } = await this.credentialsOf(site);
    const connection = await NativeConnection.connect({
      address: `127.0.0.1:${this.gateway.port}`,
      tls: {
        serverRootCACertificate: Buffer.from(trusted),
        clientCertPair: { crt: Buffer.from(cert), key: Buffer.from(key) },
      },
    });
    const activities: Pick<GatewayActivities, 'small'> = { small: (at) => Promise.resolve(at) };
    const { namespace } = this.temporal;
    const worker = await Worker.create({
      ...{ connection, namespace, taskQueue: siteQueue(site), activities },
      maxConcurrentActivityTaskPolls: 1,
    });
    const stop = runWorker(worker);
    return async () => {
      await stop();
      await connection.close();
    };
  }

  private async runWorkflows(): Promise<void> {
    const connection = await NativeConnection.connect({ address: this.temporal.address });
    const workflowsPath = require.resolve('./gateway-workflows');
    const workflowBundle = await bundleWorkflowCode({
      ...{ workflowsPath, logger: QUIET },
      failureConverterPath: FAILURE_CONVERTER,
    });
    const { namespace } = this.temporal;
    const stop = runWorker(
      await Worker.create({
        ...{ connection, namespace, taskQueue: GATEWAY_QUEUE, workflowBundle },
        dataConverter: testHistories,
      }),
    );
    this.closing.push(() => connection.close(), stop);
  }
}

const ids = () => ({ taskQueue: GATEWAY_QUEUE, workflowId: `gateway-${randomBytes(6).toString('hex')}` });

/** Answers how to stop it. */
function runWorker(worker: Worker): () => Promise<void> {
  const running = worker.run();
  return () => {
    worker.shutdown();
    return running;
  };
}

const pollOf = (siteId: string, namespace: string) =>
  messages.v1.PollActivityTaskQueueRequest.encode({
    ...{ namespace, taskQueue: { name: siteQueue(siteId) }, identity: siteId },
  }).finish();

/** How long each heartbeat took, in milliseconds. */
async function beat(sites: readonly { site: RawSite; token: Uint8Array }[]): Promise<number[]> {
  const until = performance.now() + PHASE_MS;
  const took: number[] = [];
  await Promise.all(
    sites.map(async ({ site, token }) => {
      while (performance.now() < until) {
        const began = performance.now();
        const { code, details } = await site.heartbeat(token);
        if (code !== status.OK) throw new Error(`an honest heartbeat was refused: ${details}`);
        took.push(performance.now() - began);
        await pause(BEAT_EVERY_MS);
      }
    }),
  );
  return took;
}

function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? NaN;
}
