/** Who is a site: how it is added, joins, renews its certificate and is cut off. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SiteId } from '../../workflows/contract';
import {
  AddSiteBody,
  Admissions,
  EnrolSiteBody,
  GatewayName,
  RenewCertificateBody,
  RevokedSite,
  RevokeSiteBody,
  SiteAuthority,
  SiteCredentials,
  SiteInvitation,
} from '../../workflows/identity-contract';
import { mustAnswerFor, mustBePerson } from '../access';
import type { Enrolment } from '../identity/enrolment';
import type { Identity } from '../identity/open-identity';
import { createRateLimit, mustWait, networkOf, type Rate } from '../rate-limit';
import type { FindSiteTies } from '../people/site-ties';
import type { IssuedCertificate } from '../identity/site-ca';
import { HttpProblem } from '../problem';
import type { Gateways } from '../sites/gateways';
import { nothing } from './responses';

/** What is needed to enrol sites. */
export interface Enrolling {
  identity: Identity;
  /** How people and nodes reach the API. */
  publicUrl: string;
  enrolment: Enrolment;
}

interface Deps {
  findSiteTies: FindSiteTies;
  /** Absent where no site can join. */
  enrolling: Enrolling | undefined;
  gateways: Pick<Gateways, 'hear'>;
}

const HOUR_MS = 3_600_000;
/** Of joining, each from one address or for one site. */
const FAILURES: Rate = { burst: 20, everyMs: 6_000 };
/** A certificate is renewed every few weeks. */
const RENEWALS_OF_SITE: Rate = { burst: 10, everyMs: 600_000 };

const MOST_BYTES_OF_STRANGERS = 2 ** 13;

const SitePath = z.object({ siteId: SiteId });

export const enrolmentRoutes: FastifyPluginCallbackZod<Deps> = (
  server,
  { findSiteTies, enrolling, gateways },
  done,
) => {
  const limits = {
    failuresOfAddress: createRateLimit(FAILURES),
    failuresOfSite: createRateLimit(FAILURES),
    renewalsOfSite: createRateLimit(RENEWALS_OF_SITE),
  };

  function enabled(): Enrolling {
    if (enrolling !== undefined) return enrolling;
    throw new HttpProblem(
      'no-enrolment',
      'This API has no address for sites: set MUSTER_SITE_API_URL where it is started.',
    );
  }

  async function mustAnswer(
    { claims }: FastifyRequest,
    siteId: string,
  ): Promise<Enrolling & { isKnown: boolean }> {
    const enrolling = enabled();
    const ties = await findSiteTies(siteId);
    mustAnswerFor(claims, ties);
    return { ...enrolling, isKnown: ties.addedById !== undefined };
  }

  server.post(
    '/sites',
    {
      config: { roles: ['person'], audit: 'site.add', needs: ['enrolment'] },
      schema: {
        operationId: 'addSite',
        summary: 'Add a site: get a code by which it may join once',
        description:
          'Whoever has the code can be the site: it is for the people there and nobody else. A site that is added again gets a ' +
          'new code, and the one before is good no more; its certificates stay good. It is for the administrators of the ' +
          'site; while it has none, for who added it first, as long as only their own consortia name it; and for admins.',
        tags: ['sites'],
        body: AddSiteBody,
        response: { 201: SiteInvitation },
      },
    },
    async (request, reply) => {
      const { id: siteId, hours } = request.body;
      const { enrolment, identity } = await mustAnswer(request, siteId);
      const { code, expiresAt } = await enrolment.invite(
        siteId,
        mustBePerson(request.claims),
        hours * HOUR_MS,
      );
      request.auditDetail = { hours };
      request.auditAbout = { siteId };
      reply.header('cache-control', 'no-store');
      return reply.code(201).send({ siteId, code, expiresAt, siteApiUrl: identity.siteApiUrl });
    },
  );

  server.get(
    '/site/authority',
    {
      config: { roles: 'anyone', needs: ['enrolment'] },
      schema: {
        operationId: 'getSiteAuthority',
        summary: 'What the address for sites and the gateway are certified by',
        description:
          'A site that joins asks for it before it trusts anyone, and compares its SHA-256 with the one in its code.',
        tags: ['sites'],
        response: { 200: SiteAuthority },
      },
    },
    () => ({ ca: enabled().identity.ca }),
  );

  server.post(
    '/sites/:siteId/certificate',
    {
      bodyLimit: MOST_BYTES_OF_STRANGERS,
      config: {
        roles: 'anyone',
        needs: ['enrolment'],
        refuses: [
          'invalid-code',
          'code-used',
          'code-expired',
          'invalid-certificate-request',
          'too-many-requests',
        ],
      },
      schema: {
        operationId: 'joinSite',
        summary: 'Join: exchange a code for the first certificate of a site',
        description:
          'The code is good once. Of the certificate request (PKCS#10, an ECDSA key on P-256) only the key is used; the ' +
          'private key stays at the site. Who sends a wrong code is not told what is wrong with it.',
        tags: ['sites'],
        params: SitePath,
        body: EnrolSiteBody,
        response: { 200: SiteCredentials },
      },
    },
    async ({ params: { siteId }, body, ip }, reply) => {
      const { enrolment } = enabled();
      const address = networkOf(ip);
      mustWait(limits.failuresOfAddress, address);
      mustWait(limits.failuresOfSite, siteId);
      const issued = await enrolment.join(siteId, body.code, body.csr);
      limits.failuresOfAddress.giveBack(address);
      limits.failuresOfSite.giveBack(siteId);
      reply.header('cache-control', 'no-store');
      return credentials(enabled(), issued);
    },
  );

  server.post(
    '/site/certificate',
    {
      config: {
        roles: ['site'],
        needs: ['enrolment'],
        refuses: ['invalid-certificate-request', 'too-many-requests'],
      },
      schema: {
        operationId: 'renewCertificate',
        summary: 'Renew: get the next certificate by showing the current one',
        description: 'For a new key. The current certificate stays good until it runs out.',
        tags: ['sites'],
        body: RenewCertificateBody,
        response: { 200: SiteCredentials },
      },
    },
    async ({ body, certificate }) => {
      const { enrolment, identity } = enabled();
      if (certificate === undefined)
        throw new HttpProblem('certificate-needed', `A certificate is renewed at ${identity.siteApiUrl}.`);
      mustWait(limits.renewalsOfSite, certificate.siteId);
      return credentials(enabled(), await enrolment.renew(certificate, body.csr));
    },
  );

  server.post(
    '/sites/:siteId/revoke',
    {
      config: { roles: ['person'], audit: 'site.revoke', needs: ['enrolment'], refuses: ['unknown-site'] },
      schema: {
        operationId: 'revokeSite',
        summary: 'Cut a site off: end all of its certificates and its code',
        description:
          'The site is refused from now on, within seconds also by the gateway. It may be added again.',
        tags: ['sites'],
        params: SitePath,
        body: RevokeSiteBody,
        response: { 200: RevokedSite },
      },
    },
    async (request) => {
      const { siteId } = request.params;
      const { enrolment, isKnown } = await mustAnswer(request, siteId);
      if (!isKnown) throw new HttpProblem('unknown-site', `The site ${siteId} was never added.`);
      const certificates = await enrolment.revoke(siteId, request.claims.sub, request.body.reason);
      request.auditDetail = { reason: request.body.reason, certificates };
      return { siteId, certificates };
    },
  );

  server.get(
    '/gateway/admissions',
    {
      logLevel: 'warn',
      config: { roles: ['gateway'], needs: ['enrolment'] },
      schema: {
        operationId: 'getAdmissions',
        summary: 'The certificates that the gateway is to refuse',
        description:
          'For a gateway that asks every few seconds: it sends the ETag of what it has as `If-None-Match`.',
        tags: ['sites'],
        querystring: z.object({
          gateway: GatewayName.optional().describe('Which gateway asks: by this it is known to be there.'),
        }),
        headers: z.looseObject({
          'if-none-match': z
            .string()
            .max(200)
            .meta({ examples: ['"2jmj7l5rSw0yVb"'] })
            .optional(),
        }),
        response: { 200: Admissions, 304: nothing.describe('Nothing has changed.') },
      },
    },
    async ({ headers, query: { gateway } }, reply) => {
      const { enrolment } = enabled();
      const [revoked] = await Promise.all([
        enrolment.revoked(),
        gateway !== undefined && gateways.hear(gateway),
      ]);
      const etag = `"${createHash('sha256').update(revoked.join()).digest('base64url')}"`;
      reply.header('etag', etag).header('cache-control', 'no-cache');
      return headers['if-none-match'] === etag ? reply.code(304).send() : reply.send({ revoked });
    },
  );
  done();
};

function credentials(
  { identity: { siteApiUrl, gatewayAddress, ca, signingKey }, publicUrl }: Enrolling,
  { certificate, notAfter }: IssuedCertificate,
): SiteCredentials {
  const addresses = { siteApiUrl, gatewayAddress, publicUrl };
  return { certificate, notAfter, ...addresses, ca, instanceKey: signingKey.publicKey };
}
