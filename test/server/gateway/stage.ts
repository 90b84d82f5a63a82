/** A gateway in front of the jest run's Temporal, sites with certificates of their own, and what they do to it. */
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { Writable } from 'node:stream';
import { Client, Metadata, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { temporal as api } from '@temporalio/proto';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { siteIdentityOf } from '../../../server/identity/certificate';
import { createGateway, type Gateway, type GatewayOptions } from '../../../server/gateway/gateway';
import type { Admissions, SiteIdentity } from '../../../server/gateway/identity';
import { connectTemporal } from '../../../server/gateway/temporal';
import { TokenKeys } from '../../../server/gateway/tokens';
import { siteQueue } from '../../../workflows/contract';
import type { TestTemporal } from '../../support/temporal';
import { createTestAuthority, type Certified, type TestAuthority } from '../../support/certificates';

export const SERVICE = '/temporal.api.workflowservice.v1.WorkflowService/';
export const { workflowservice: messages } = api.api;

/** A list of who is out, that a test changes. */
export class TestAdmissions implements Admissions {
  private readonly revoked = new Set<string>();
  private readonly listeners = new Set<() => void>();

  admits({ siteId }: SiteIdentity): boolean {
    return !this.revoked.has(siteId);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  revoke(siteId: string): void {
    this.revoked.add(siteId);
    for (const listener of this.listeners) listener();
  }
}

export interface TestGateway {
  readonly gateway: Gateway;
  readonly port: number;
  readonly admissions: TestAdmissions;
  /** What it has logged. */
  readonly lines: Record<string, unknown>[];
}

export const testKey = (id: string, byte = 7) => ({ id, secret: Buffer.alloc(32, byte) });

/** Gateways, and sites that connect to them; all of it ends with the test file. */
export class Stage {
  authority!: TestAuthority;
  private server!: Certified;
  private readonly closing: (() => unknown)[] = [];
  private readonly certificates = new Map<string, Promise<Certified>>();

  private constructor(readonly temporal: TestTemporal) {}

  /** To be called once in a test file, beside `useTemporal`. */
  static use(temporal: TestTemporal): Stage {
    const stage = new Stage(temporal);
    beforeAll(async () => {
      stage.authority = await createTestAuthority();
      stage.server = await stage.authority.issueServer();
    });
    temporal.onClose(async () => {
      for (const close of stage.closing.reverse()) await close();
    });
    return stage;
  }

  async openGateway(options: Partial<GatewayOptions> = {}, at = 0): Promise<TestGateway> {
    const admissions = new TestAdmissions();
    const lines: Record<string, unknown>[] = [];
    const sink = new Writable({
      write: (line: Buffer, _encoding, done) => {
        lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
        done();
      },
    });
    const gateway = createGateway({
      certificate: { cert: Buffer.from(this.server.cert), key: Buffer.from(this.server.key) },
      siteCa: Buffer.from(this.authority.cert),
      identityOf: siteIdentityOf,
      admissions,
      temporal: connectTemporal({ address: this.temporal.address }),
      namespace: this.temporal.namespace,
      keys: new TokenKeys([testKey('k1')]),
      log: pino({ level: 'debug' }, sink),
      ...options,
    });
    this.closing.push(() => gateway.close(0));
    const { port } = await gateway.listen('127.0.0.1', at);
    return { gateway, port, admissions, lines };
  }

  /** The site's certificate, always the same one. */
  certificateOf(siteId: string): Promise<Certified> {
    const known = this.certificates.get(siteId) ?? this.authority.issueSite(siteId);
    this.certificates.set(siteId, known);
    return known;
  }

  /** A worker as sites run it. */
  async startSiteWorker(
    siteId: string,
    { port }: Pick<TestGateway, 'port'>,
    options: Partial<WorkerOptions>,
  ): Promise<{ worker: Worker; stop(): Promise<void> }> {
    const { cert, key } = await this.certificateOf(siteId);
    const connection = await NativeConnection.connect({
      address: `127.0.0.1:${port}`,
      tls: {
        serverRootCACertificate: Buffer.from(this.authority.cert),
        clientCertPair: { crt: Buffer.from(cert), key: Buffer.from(key) },
      },
    });
    const worker = await Worker.create({
      connection,
      namespace: this.temporal.namespace,
      taskQueue: siteQueue(siteId),
      ...options,
    });
    const running = worker.run();
    running.catch(() => undefined);
    const stop = async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running.finally(() => connection.close());
    };
    this.closing.push(() => stop().catch(() => undefined));
    return { worker, stop };
  }

  /** A client of a site that says what it likes. */
  async connectRaw(siteId: string, { port }: Pick<TestGateway, 'port'>): Promise<RawSite> {
    return this.connectAs(await this.certificateOf(siteId), { port, siteId });
  }

  /** A connection on which a site may do what HTTP/2 allows, and more. */
  async connectHttp2(siteId: string, { port }: Pick<TestGateway, 'port'>): Promise<ClientHttp2Session> {
    const { cert, key } = await this.certificateOf(siteId);
    const session = connect(`https://127.0.0.1:${port}`, { ca: this.authority.cert, cert, key });
    session.on('error', () => undefined);
    this.closing.push(() => session.destroy());
    return session;
  }

  connectAs(
    { cert, key }: Certified,
    { port, siteId = 'nobody' }: { port: number; siteId?: string },
  ): RawSite {
    const [root, privateKey, chain] = [this.authority.cert, key, cert].map((pem) => Buffer.from(pem));
    const client = new Client(`127.0.0.1:${port}`, credentials.createSsl(root, privateKey, chain), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_send_message_length': -1,
      'grpc.enable_retries': 0,
    });
    this.closing.push(() => client.close());
    return new RawSite(client, siteId, this.temporal.namespace);
  }
}

/** How a call ended on a bare HTTP/2 stream; `undefined` where it broke off without a status. */
export interface Ending {
  status: number | undefined;
  message: string;
}

/** Opens a stream and says nothing on it but headers. */
export function openStream(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  return stream;
}

/** A message as it is sent over a stream. */
export function frame(body: Uint8Array, compressed = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

export function ending(stream: ClientHttp2Stream): Promise<Ending> {
  const said: IncomingHttpHeaders = {};
  const note = (headers: IncomingHttpHeaders) => void Object.assign(said, headers);
  stream.on('response', note).on('trailers', note);
  stream.resume();
  return new Promise((resolve) => {
    stream.once('close', () => {
      const code = said['grpc-status'];
      resolve({
        status: code === undefined ? undefined : Number(code),
        message: String(said['grpc-message'] ?? ''),
      });
    });
  });
}

/** How a call ended. */
export interface Outcome {
  code: status;
  details: string;
  body: Buffer;
  metadata?: Metadata;
}

type Encodable<T> = { encode(message: T): { finish(): Uint8Array } };

export class RawSite {
  constructor(
    readonly client: Client,
    readonly siteId: string,
    private readonly namespace: string,
  ) {}

  /** One call, with any bytes as its message. */
  send(
    path: string,
    body: Uint8Array,
    {
      signal,
      deadline,
      metadata = new Metadata(),
    }: { signal?: AbortSignal; deadline?: number; metadata?: Metadata } = {},
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      const same = (bytes: Buffer) => bytes;
      const options = deadline === undefined ? {} : { deadline };
      const done = (error: ServiceError | null, answer?: Buffer) =>
        resolve(
          error
            ? { code: error.code, details: error.details, metadata: error.metadata, body: Buffer.alloc(0) }
            : { code: status.OK, details: '', body: answer ?? Buffer.alloc(0) },
        );
      const call = this.client.makeUnaryRequest(path, same, same, Buffer.from(body), metadata, options, done);
      signal?.addEventListener('abort', () => call.cancel());
    });
  }

  call<T extends object>(
    name: string,
    type: Encodable<T>,
    message: T,
    options?: Parameters<RawSite['send']>[2],
  ): Promise<Outcome> {
    return this.send(SERVICE + name, type.encode(message).finish(), options);
  }

  async poll(
    change: api.api.workflowservice.v1.IPollActivityTaskQueueRequest = {},
    options?: Parameters<RawSite['send']>[2],
  ): Promise<Outcome & { task: api.api.workflowservice.v1.PollActivityTaskQueueResponse }> {
    const outcome = await this.call(
      'PollActivityTaskQueue',
      messages.v1.PollActivityTaskQueueRequest,
      {
        namespace: this.namespace,
        taskQueue: {
          name: siteQueue(this.siteId),
          kind: api.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL,
        },
        identity: 'raw',
        ...change,
      },
      options,
    );
    return { ...outcome, task: messages.v1.PollActivityTaskQueueResponse.decode(outcome.body) };
  }

  complete(
    taskToken: Uint8Array,
    change: api.api.workflowservice.v1.IRespondActivityTaskCompletedRequest = {},
  ): Promise<Outcome> {
    return this.call('RespondActivityTaskCompleted', messages.v1.RespondActivityTaskCompletedRequest, {
      taskToken,
      namespace: this.namespace,
      identity: 'raw',
      ...change,
    });
  }

  heartbeat(
    taskToken: Uint8Array,
    change: api.api.workflowservice.v1.IRecordActivityTaskHeartbeatRequest = {},
  ): Promise<Outcome> {
    return this.call('RecordActivityTaskHeartbeat', messages.v1.RecordActivityTaskHeartbeatRequest, {
      taskToken,
      namespace: this.namespace,
      ...change,
    });
  }
}
