/**
 * The sites' connections: TLS with client certificates, HTTP/2, and what one connection may do before any call is
 * looked at. This is Node's own HTTP/2 server and not that of a gRPC library: those show only calls they know, and
 * neither the others nor the connections.
 */
import { constants as tlsConstants } from 'node:crypto';
import { once } from 'node:events';
import { constants, createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import { Call } from './call';
import type { Admissions, IdentityReader, SiteIdentity } from './identity';
import { Bucket, type Limits } from './limits';
import { Refusal, type RefusalReason } from './refusal';

/** PEM. */
export interface ServerCertificate {
  cert: string | Buffer;
  key: string | Buffer;
}

export interface Connection {
  readonly identity: SiteIdentity;
  /** Those that are not answered yet. */
  readonly calls: Set<Call>;
  readonly session: ServerHttp2Session;
}

export interface ConnectionsOptions {
  certificate: ServerCertificate;
  /** Whoever these certificates (PEM) vouch for may connect. */
  siteCa: Buffer;
  identityOf: IdentityReader;
  admissions: Admissions;
  limits: Limits;
  log: Logger;
  /** @throws Refusal of a connection that is one too many */
  welcome(connection: Connection): void;
  onCall(call: Call, connection: Connection): void;
  onRefusal(reason: RefusalReason, about: object): void;
  onClose(connection: Connection): void;
}

const HANDSHAKE_MS = 10_000;
/** A site that is gone without a word is noticed after two of these at most: its polls would take tasks to nowhere. */
const HEARTBEAT_MS = 15_000;
/** Certificates run out and admissions end; those that end with a notice are acted on at once. */
const REVIEW_MS = 2_000;
/** After the last word to a site that is not admitted any more. */
const FAREWELL_MS = 500;
const WINDOW_BYTES = 2 ** 20;
const MOST_CONNECTIONS = 20_000;

export class Connections {
  private readonly server: Http2SecureServer;
  private readonly open = new Set<Connection>();
  private readonly stopReview: () => void;

  constructor(private readonly options: ConnectionsOptions) {
    const { certificate, siteCa, limits } = options;
    this.server = createSecureServer({
      ...secureContext(certificate, siteCa),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_MS,
      settings: { maxConcurrentStreams: limits.streamsPerConnection, maxHeaderListSize: limits.headerBytes },
      maxHeaderListPairs: 64,
      maxSettings: 16,
    });
    this.server.maxConnections = MOST_CONNECTIONS;
    this.server.on('secureConnection', (socket: TLSSocket) => socket.on('error', () => undefined));
    this.server.on('tlsClientError', (error: Error) => options.onRefusal('no-site', { why: error.message }));
    this.server.on('sessionError', () => undefined);
    this.server.on('unknownProtocol', (socket) => socket.destroy());
    this.server.on('session', (session) => this.take(session));
    this.stopReview = this.reviewRegularly();
  }

  get size(): number {
    return this.open.size;
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    this.server.listen({ host, port });
    await once(this.server, 'listening');
    return this.server.address() as AddressInfo;
  }

  /** For connections from now on. */
  setCertificate(certificate: ServerCertificate): void {
    this.server.setSecureContext(secureContext(certificate, this.options.siteCa));
  }

  /** Takes no further connections, and no further calls on those there are. */
  drain(): void {
    this.server.close();
    for (const { session } of this.open) session.close();
  }

  /** Resolves when every connection is closed. */
  async closed(): Promise<void> {
    const alive = [...this.open].filter(({ session }) => !session.destroyed);
    await Promise.all(alive.map(({ session }) => once(session, 'close')));
  }

  destroy(): void {
    this.stopReview();
    for (const { session } of this.open) session.destroy();
  }

  private take(session: ServerHttp2Session): void {
    session.on('error', () => undefined);
    const connection = this.identify(session);
    if (!connection) return;
    try {
      this.options.welcome(connection);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      expel(connection);
      return;
    }
    this.open.add(connection);
    session.once('close', () => {
      this.open.delete(connection);
      this.options.onClose(connection);
    });
    session.setLocalWindowSize(WINDOW_BYTES);
    limitPings(connection, this.options);
    keepAlive(session);
    session.on('stream', (stream, headers) => {
      const call = new Call(stream, headers, this.options.limits.transferMs);
      connection.calls.add(call);
      stream.once('close', () => connection.calls.delete(call));
      this.options.onCall(call, connection);
    });
  }

  private identify(session: ServerHttp2Session): Connection | undefined {
    const { socket } = session;
    try {
      const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
      if (!certificate) throw new Error('there is no client certificate');
      return { identity: this.options.identityOf(certificate.raw), calls: new Set(), session };
    } catch (error) {
      this.options.onRefusal('no-site', { why: error instanceof Error ? error.message : String(error) });
      session.destroy(undefined, constants.NGHTTP2_INADEQUATE_SECURITY);
      return undefined;
    }
  }

  private reviewRegularly(): () => void {
    const review = () => {
      for (const connection of this.open) if (!this.admits(connection)) dismiss(connection);
    };
    const stopListening = this.options.admissions.onChange(review);
    const timer = setInterval(review, REVIEW_MS);
    return () => {
      stopListening();
      clearInterval(timer);
    };
  }

  admits({ identity }: Connection): boolean {
    return identity.notAfter > Date.now() && this.options.admissions.admits(identity);
  }
}

function secureContext({ cert, key }: ServerCertificate, siteCa: Buffer): SecureContextOptions {
  return {
    cert,
    key,
    ca: siteCa,
    minVersion: 'TLSv1.3',
    // Every connection shows its certificate: none is taken up again from a ticket.
    secureOptions: tlsConstants.SSL_OP_NO_TICKET,
  };
}

/** The site does not keep to what it may do here. It may come again, though not as often as it likes. */
export function expel({ session }: Connection): void {
  if (!session.destroyed) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

/** Ends what the site has running, says why, and closes. */
function dismiss({ identity, calls, session }: Connection): void {
  for (const call of calls) call.end(notAdmitted(identity));
  session.close();
  setTimeout(() => session.destroy(), FAREWELL_MS).unref();
}

export function notAdmitted({ siteId, serial }: SiteIdentity): Refusal {
  return new Refusal(
    'not-admitted',
    `the certificate ${serial} of site ${siteId} is not admitted (any more)`,
  );
}

function limitPings(connection: Connection, options: ConnectionsOptions): void {
  const { session, identity } = connection;
  const pings = new Bucket(options.limits.pings, performance.now());
  session.on('ping', () => {
    if (session.destroyed || pings.take(performance.now())) return;
    options.onRefusal('too-many-pings', { site: identity.siteId });
    expel(connection);
  });
}

function keepAlive(session: ServerHttp2Session): void {
  let answered = true;
  const timer = setInterval(() => {
    if (session.destroyed) return;
    if (!answered) {
      session.destroy();
      return;
    }
    answered = false;
    session.ping((error) => (answered = error === null));
  }, HEARTBEAT_MS);
  timer.unref();
  session.once('close', () => clearInterval(timer));
}
