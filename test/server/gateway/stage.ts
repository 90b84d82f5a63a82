/** A gateway in front of the jest run's Temporal, sites with certificates of their own, and what they do to it. */
import type { ClientHttp2Session } from 'node:http2';
import { Writable } from 'node:stream';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { siteIdentityOf } from '../../../server/identity/certificate';
import { createGateway, type Gateway, type GatewayOptions } from '../../../server/gateway/gateway';
import type { Admissions, SiteIdentity } from '../../../server/gateway/identity';
import { connectTemporal } from '../../../server/gateway/temporal';
import { sitePayloadsOf } from '../../../server/gateway/payloads';
import { TokenKeys } from '../../../server/gateway/tokens';
import { siteQueue } from '../../../workflows/contract';
import { testCodec } from '../../support/sealed';
import type { TestTemporal } from '../../support/temporal';
import { createTestAuthority, type Certified, type TestAuthority } from '../../support/certificates';
import { connectHttp2, connectRawSite, type RawSite } from './raw-site';

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
      payloads: sitePayloadsOf(testCodec),
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
    const trusted = this.authority.cert;
    const session = connectHttp2(port, { ...(await this.certificateOf(siteId)), trusted });
    this.closing.push(() => session.destroy());
    return session;
  }

  connectAs(certified: Certified, { port, siteId = 'nobody' }: { port: number; siteId?: string }): RawSite {
    const { namespace } = this.temporal;
    const who = { ...certified, trusted: this.authority.cert, siteId, namespace };
    const site = connectRawSite(port, who);
    this.closing.push(() => site.client.close());
    return site;
  }
}
