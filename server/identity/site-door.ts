/**
 * The sites' own door to the API: an address of its own, TLS only, where a site shows its certificate. A site that has none
 * yet comes in too, for the few things that need none: so the door lets everybody in and says of each request who made it.
 */
import { constants, type KeyObject } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import type { SitesConfig } from '../config';
import { HttpProblem } from '../problem';
import { showRenewed, type ShownCertificate, type Showing } from '../shown-certificate';
import { NotASiteCertificate, siteIdentityOf, type SiteIdentity } from './certificate';
import { expired } from './enrolment';
import { authorityOf, type Identity } from './open-identity';

/** Who does not say hello in time is not waited for. */
const HANDSHAKE_MS = 10_000;

const through = new WeakSet<IncomingMessage>();

/** A server that hands its requests to `serve`. */
export function createSiteDoor({ tls, siteCa }: Identity, serve: RequestListener): Server {
  const options = {
    ...secureContext(siteCa, tls),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_MS,
  };
  return createServer(options, (request, response) => {
    through.add(request);
    serve(request, response);
  });
}

export interface SiteDoor extends Pick<Showing, 'log' | 'everyMs'> {
  identity: Identity;
  /** Where what is shown, and what certifies it, comes from. */
  files: SitesConfig['tls'];
  serve: RequestListener;
}

/** A door that shows what is in the files, also after it was replaced there. */
export function openSiteDoor({ identity, files, serve, ...how }: SiteDoor): Server {
  const door = createSiteDoor(identity, serve);
  const show = (renewed: ShownCertificate) => {
    // Sites know this API by what certifies it: they would not come in to another.
    authorityOf(files, { ...renewed, ca: identity.ca });
    door.setSecureContext(secureContext(identity.siteCa, renewed));
  };
  return door.once('close', showRenewed({ ...how, files, shown: identity.tls, show }));
}

function secureContext(siteCa: Identity['siteCa'], { cert, key }: ShownCertificate): SecureContextOptions {
  return {
    ...{ cert, key, ca: siteCa.certificate, minVersion: 'TLSv1.2' as const },
    // A certificate is looked at on each connection, and not remembered from the one before.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

export const cameThroughSiteDoor = (request: IncomingMessage) => through.has(request);

/**
 * Who made a request that came through the door, as far as the certificate says.
 * @throws HttpProblem
 */
export function shownIdentity(request: IncomingMessage): SiteIdentity {
  const { socket, certificate } = shownCertificate(request.socket);
  if (socket.authorized) return read(certificate.raw);
  const reason = String(socket.authorizationError);
  if (reason === 'CERT_HAS_EXPIRED') throw expired(read(certificate.raw).siteId);
  throw refused(`It was not issued here (${reason}).`);
}

/**
 * The public key of the certificate that was shown with a request.
 * @throws HttpProblem
 */
export function shownKey({ socket }: IncomingMessage): KeyObject {
  return shownCertificate(socket).certificate.publicKey;
}

function shownCertificate(socket: IncomingMessage['socket']) {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (!(socket instanceof TLSSocket) || certificate === undefined)
    throw new HttpProblem('certificate-needed', 'This is for sites: show the certificate of one.');
  return { socket, certificate };
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
