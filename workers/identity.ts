/**
 * Who this edge worker is: the site's key and certificate, for the gateway and the API, each time as they are now. They are
 * renewed in good time, by the certificate that there still is; the worker goes on meanwhile.
 */
import { createPrivateKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeConnection, NativeConnectionOptions, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createCentralApi, type Fetch } from '../client/central-api';
import {
  belongTogether,
  IdentityError,
  readIdentity,
  writeIdentity,
  type SiteIdentityFiles,
} from '../client/identity-folder';
import { proxyFor, ProxyError } from '../client/proxy';
import { newSiteKey } from '../client/site-key';
import { createStoreFetch, createTransport, type Transport } from '../client/site-transport';
import { openContentKey } from '../sealing/content-key';
import { SettingsError } from './settings';

/** How long after its beginning a certificate is renewed, as a share of its time. */
const RENEWED_AFTER = 2 / 3;
/** So often it is looked whether there is anything to do, and whether the site has joined anew. */
const LOOK_EVERY_MS = 60_000;

type Environment = Readonly<Record<string, string | undefined>>;

export interface IdentityParts {
  /** The folder that `muster site join` wrote. */
  folder: string;
  /** Address of the API for sites. */
  apiUrl: string;
  log: Logger;
  env?: Environment;
  /** Milliseconds since the epoch. */
  clock?: () => number;
}

/** The identity in a folder, for the one worker that works with it. */
export class WorkerIdentity {
  /** Speaks with the API for sites, showing the certificate that is good at that moment. */
  readonly fetch: Fetch = (...request) => this.transport.fetch(...request);
  /** Fetches kits: their store may also be certified by what certifies the centre. */
  readonly fetchKit: Fetch = (...request) => createStoreFetch(this.files.ca, this.parts.env)(...request);
  private transport: Transport;
  /** Of the certificate before: what was asked for by that one is still answered to it. */
  private earlierKey: string | undefined;
  /** Whoever has to act on a new certificate has not done so yet. */
  private isNews = false;
  /** Said once, until it changes. */
  private complaint: string | undefined;

  private constructor(
    private files: SiteIdentityFiles,
    private readonly parts: Required<IdentityParts>,
  ) {
    this.transport = this.openTransport();
  }

  /** @throws SettingsError where the folder does not say who the site is, or its certificate has expired */
  static async open(parts: IdentityParts): Promise<WorkerIdentity> {
    const all = { env: process.env, clock: Date.now, ...parts };
    try {
      const files = await readIdentity(all.folder);
      if (files.notAfter > all.clock()) return new WorkerIdentity(files, all);
      throw new SettingsError(`The certificate of ${files.siteId} has expired: ${JOIN_AGAIN}`);
    } catch (error) {
      if (error instanceof IdentityError || error instanceof ProxyError)
        throw new SettingsError(error.message);
      throw error;
    }
  }

  get siteId(): string {
    return this.files.siteId;
  }

  /** By which the instance signs what it tells this site to run, as it was when the site joined: Ed25519, PEM. */
  get instanceKey(): string {
    return this.files.instanceKey;
  }

  /** A key that was sealed to the certificate that is shown; `undefined` if it was sealed to another site's. */
  async openSealed(sealed: string): Promise<Buffer | undefined> {
    for (const key of [this.files.key, this.earlierKey]) {
      const opened = key === undefined ? undefined : await openContentKey(sealed, createPrivateKey(key));
      if (opened !== undefined) return opened;
    }
    return undefined;
  }

  /** When the certificate ends, in milliseconds since the epoch. */
  get notAfter(): number {
    return this.files.notAfter;
  }

  /**
   * How the site gateway is reached. A connection keeps the certificate that it began with: after a renewal workers are
   * moved to a new one by {@link moveTo}.
   * @param gateway host:port
   * @throws SettingsError for a proxy that cannot be used
   */
  connectionOptions(gateway: string): NativeConnectionOptions {
    const { ca, certificate, key } = this.files;
    return {
      address: gateway,
      tls: {
        serverRootCACertificate: Buffer.from(ca),
        clientCertPair: { crt: Buffer.from(certificate), key: Buffer.from(key) },
      },
      ...proxyOptions(gateway, this.parts.env),
    };
  }

  /**
   * Renews the certificate whenever it is time, until `signal` aborts. `onRenewed` is called for each new certificate, and
   * again until it succeeds; the one before is good meanwhile.
   */
  async keepRenewed(signal: AbortSignal, onRenewed: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await this.lookAndTell(signal, onRenewed).catch((err: unknown) => {
        if (!signal.aborted) this.complain(err);
      });
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Does what there is to do now. Answers whether there is a new certificate. */
  async look(signal: AbortSignal): Promise<boolean> {
    const { folder, clock } = this.parts;
    const onDisk = await readIdentity(folder);
    if (onDisk.siteId !== this.siteId)
      throw new IdentityError(
        `${folder} is of the site ${onDisk.siteId} now: restart the edge worker of it.`,
      );
    if (onDisk.certificate !== this.files.certificate) this.adopt(onDisk);
    if (clock() >= renewalOf(this.files)) await this.renew(signal);
    return this.isNews;
  }

  /** Calls that are under way end first. */
  close(): Promise<void> {
    return this.transport.close();
  }

  private async lookAndTell(signal: AbortSignal, onRenewed: () => Promise<void>): Promise<void> {
    if (await this.look(signal)) await onRenewed();
    this.isNews = false;
    this.complaint = undefined;
  }

  private async renew(signal: AbortSignal): Promise<void> {
    const { folder, apiUrl, log } = this.parts;
    const { key, csr } = await newSiteKey(this.siteId);
    const got = await createCentralApi({ url: apiUrl, fetch: this.fetch }).renewCertificate({ csr }, signal);
    if (!belongTogether(key, got.certificate))
      throw new IdentityError('The API answered with a certificate for another key.');
    // What the instance signs with is known since the site joined, and nobody changes it from afar.
    if (got.instanceKey !== this.instanceKey)
      log.warn('the API names another signing key than when this site joined; it is not taken over');
    await writeIdentity(folder, { key, certificate: got.certificate, ca: got.ca });
    this.adopt(await readIdentity(folder));
  }

  private adopt(files: SiteIdentityFiles): void {
    const before = this.transport;
    this.earlierKey = this.files.key;
    this.files = files;
    this.transport = this.openTransport();
    this.isNews = true;
    before.close().catch(() => undefined);
    const until = new Date(files.notAfter).toISOString();
    this.parts.log.info({ siteId: files.siteId, until }, 'there is a new certificate');
  }

  private openTransport(): Transport {
    const { ca, certificate, key } = this.files;
    return createTransport(this.parts.apiUrl, { ca, cert: certificate, key }, this.parts.env);
  }

  private complain(err: unknown): void {
    const { log, clock } = this.parts;
    const hasExpired = clock() >= this.notAfter;
    const complaint = `${hasExpired ? 'expired: ' : ''}${err instanceof Error ? err.message : String(err)}`;
    const until = new Date(this.notAfter).toISOString();
    if (complaint === this.complaint) return;
    this.complaint = complaint;
    if (hasExpired) log.error({ err, until }, `the certificate has expired: ${JOIN_AGAIN}`);
    else log.warn({ err, until }, 'the certificate is not renewed yet');
  }
}

/**
 * Moves workers to another connection, and closes the one that they had. Nothing is lost: what they were asking for is still
 * answered to them, and they tell how it went by the new one.
 */
export async function moveTo(connection: NativeConnection, workers: readonly Worker[]): Promise<void> {
  const before = new Set(workers.flatMap((worker) => worker.connection ?? []));
  for (const worker of workers) worker.connection = connection;
  before.delete(connection);
  for (const one of before) await one.close();
}

const JOIN_AGAIN = 'join again, with a new code of `muster site add`.';

/** When a certificate is to be renewed. */
export function renewalOf({
  notBefore,
  notAfter,
}: Pick<SiteIdentityFiles, 'notBefore' | 'notAfter'>): number {
  return notBefore + (notAfter - notBefore) * RENEWED_AFTER;
}

/** @throws SettingsError */
function proxyOptions(gateway: string, env: Environment): Pick<NativeConnectionOptions, 'proxy'> {
  const { hostname, port } = new URL(`https://${gateway}`);
  const proxy = proxyFor(hostname, Number(port || '443'), env);
  if (proxy === undefined) return {};
  if (proxy.protocol !== 'http:')
    throw new SettingsError(
      'HTTPS_PROXY must be an address that begins with http:// to reach the gateway by.',
    );
  const username = decodeURIComponent(proxy.username);
  const password = decodeURIComponent(proxy.password);
  return {
    proxy: {
      type: 'http-connect',
      targetHost: `${proxy.hostname}:${proxy.port || '80'}`,
      ...(username !== '' && { basicAuth: { username, password } }),
    },
  };
}
