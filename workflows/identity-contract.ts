/** The central API's payloads about who a site is: how it joins, renews its certificate and is cut off. */
import { z } from 'zod';
import { SiteId } from './contract';

/** What a certificate of a site says as its alternative name. */
export const siteUri = (siteId: string) => `urn:muster:site:${siteId}`;

/** A time that is in milliseconds since the epoch. */
const Moment = z.number();
const Pem = (what: string) => z.string().regex(/^-----BEGIN [A-Z0-9 ]+-----\n/, `must be ${what} (PEM)`);

// ---------------------------------------------------------------- joining

/** The longest a code may be good for. */
export const MAX_CODE_HOURS = 24 * 14;

export const AddSiteBody = z.strictObject({
  id: SiteId,
  /** How long the code is good for. */
  hours: z.int().min(1).max(MAX_CODE_HOURS).default(24),
});
export const SiteInvitation = z.object({
  siteId: SiteId,
  /** Good once. It is not kept: whoever loses it adds the site again. */
  code: z.string(),
  expiresAt: Moment,
  /** Where the site joins. */
  siteApiUrl: z.string(),
});
export type SiteInvitation = z.output<typeof SiteInvitation>;

/** The certificates of the authority that the sites' API and the gateway are certified by. */
export const SiteAuthority = z.object({ ca: Pem('certificates') });
export type SiteAuthority = z.output<typeof SiteAuthority>;

/** PKCS#10 and PEM; only its public key is looked at. */
const CertificateRequest = Pem('a certificate request').max(4_000);
export const EnrolSiteBody = z.strictObject({ code: z.string().max(300), csr: CertificateRequest });
export const RenewCertificateBody = z.strictObject({ csr: CertificateRequest });

export const SiteCredentials = z.object({
  /** The site's certificate, PEM. */
  certificate: Pem('a certificate'),
  notAfter: Moment,
  siteApiUrl: z.string(),
  /** host:port of the site gateway. */
  gatewayAddress: z.string(),
  /** How nodes at sites reach the API, to report on themselves. */
  publicUrl: z.string(),
  /** What the site API and the gateway are certified by, PEM. */
  ca: Pem('certificates'),
  /** By which this instance signs what it tells sites to run: Ed25519, PEM. */
  instanceKey: Pem('a public key'),
});
export type SiteCredentials = z.output<typeof SiteCredentials>;

/** Where a site stands that was added. */
export const SiteStanding = z.object({
  /** `invited`: it has a code, and no certificate yet; `expired`: neither its code nor a certificate is good any more. */
  state: z.enum(['invited', 'joined', 'expired', 'revoked']),
  /** Until when it is invited or has joined; since when it is expired or revoked. */
  at: Moment,
});
export type SiteStanding = z.output<typeof SiteStanding>;

// ---------------------------------------------------------------- cutting off

export const RevokeSiteBody = z.strictObject({ reason: z.string().trim().min(1).max(500) });
export const RevokedSite = z.object({
  siteId: SiteId,
  /** How many certificates were good until now. */
  certificates: z.int().nonnegative(),
});
export type RevokedSite = z.output<typeof RevokedSite>;

/** The serial numbers of the certificates that are good no more, although they have not run out. */
export const Admissions = z.object({ revoked: z.array(z.string()) });
export type Admissions = z.output<typeof Admissions>;

// ---------------------------------------------------------------- gateways

/** How a gateway calls itself: the host and the port where it listens. */
export const GatewayName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,255}:\d{1,5}$/, 'must be a host and a port')
  .meta({ examples: ['centre-1:7410'] });

export const GatewayView = z.object({
  name: GatewayName,
  /** `away`: it has been silent for too long; `unknown`: the API could not hear, so nobody knows. */
  presence: z.enum(['here', 'away', 'unknown']),
  /** When it asked last. */
  seenAt: Moment,
});
export type GatewayView = z.output<typeof GatewayView>;
export const GatewayList = z.object({
  gateways: z.array(GatewayView),
  /** When this was so, by the clock that `seenAt` is of. */
  at: Moment,
});
export type GatewayList = z.output<typeof GatewayList>;
