/**
 * The sites' own door to the API: an address of its own, TLS only, where a site shows its certificate. A site that has none
 * yet comes in too, for the few things that need none: so the door lets everybody in and says of each request who made it.
 */
import { constants } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { TLSSocket } from 'node:tls';
import { HttpProblem } from '../problem';
import { NotASiteCertificate, siteIdentityOf, type SiteIdentity } from './certificate';
import { expired } from './enrolment';
import type { Identity } from './open-identity';

/** Who does not say hello in time is not waited for. */
const HANDSHAKE_MS = 10_000;

const through = new WeakSet<IncomingMessage>();

/** A server that hands its requests to `serve`. */
export function createSiteDoor({ tls, siteCa }: Identity, serve: RequestListener): Server {
  const options = {
    ...tls,
    ca: siteCa.certificate,
    minVersion: 'TLSv1.2' as const,
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_MS,
    // A certificate is looked at on each connection, and not remembered from the one before.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
  return createServer(options, (request, response) => {
    through.add(request);
    serve(request, response);
  });
}

export const cameThroughSiteDoor = (request: IncomingMessage) => through.has(request);

/**
 * Who made a request that came through the door, as far as the certificate says.
 * @throws HttpProblem
 */
export function shownIdentity({ socket }: IncomingMessage): SiteIdentity {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (!(socket instanceof TLSSocket) || certificate === undefined)
    throw new HttpProblem('certificate-needed', 'This is for sites: show the certificate of one.');
  if (socket.authorized) return read(certificate.raw);
  const reason = String(socket.authorizationError);
  if (reason === 'CERT_HAS_EXPIRED') throw expired(read(certificate.raw).siteId);
  throw refused(`It was not issued here (${reason}).`);
}

function read(certificate: Buffer): SiteIdentity {
  try {
    return siteIdentityOf(certificate);
  } catch (error) {
    if (error instanceof NotASiteCertificate) throw refused(error.message);
    throw error;
  }
}

const refused = (reason: string) =>
  new HttpProblem('certificate-refused', `The certificate that was shown cannot be used. ${reason}`);
