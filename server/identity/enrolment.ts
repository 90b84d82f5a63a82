/**
 * Who is a site: one that was invited by a code, and has certificates since. What changes for one site happens in turn, so
 * that none gets a certificate while it is being cut off.
 */
import { and, asc, eq, gt, isNotNull, isNull, sql } from 'drizzle-orm';
import type { FastifyBaseLogger } from 'fastify';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readCode, SECRET_BYTES, writeCode } from '../../workflows/enrolment-code';
import type { Person } from '../access';
import type { Database } from '../db/client';
import { siteCertificates, siteEnrolments } from '../db/schema';
import { HttpProblem } from '../problem';
import type { SiteIdentity } from './certificate';
import { RefusedRequest, type IssuedCertificate, type SiteCa } from './site-ca';

export interface Enrolment {
  /** Makes a code by which the site may join once. The codes that it had before are good no more. */
  invite(
    siteId: string,
    by: Pick<Person, 'id' | 'sub'>,
    lifetimeMs: number,
  ): Promise<{ code: string; expiresAt: number }>;
  /** The first certificate of a site that has a code. @throws HttpProblem */
  join(siteId: string, code: string, csr: string): Promise<IssuedCertificate>;
  /** The next certificate of a site, for another key. The one it has stays good. @throws HttpProblem */
  renew(current: SiteIdentity, csr: string): Promise<IssuedCertificate>;
  /** Whether a certificate that is of the right form and well signed is good now. @throws HttpProblem */
  check(identity: SiteIdentity): Promise<void>;
  /** Ends all certificates and codes of the site; answers how many certificates were good until now. */
  revoke(siteId: string, by: string, reason: string): Promise<number>;
  /** The serial numbers of certificates that were revoked and have not run out. */
  revoked(): Promise<string[]>;
}

export function createEnrolment(deps: {
  db: Database;
  siteCa: SiteCa;
  /** SHA-256 of the certificate by which a site that joins is to know this API. */
  pin: Uint8Array;
  log: FastifyBaseLogger;
  /** Milliseconds since the epoch. */
  clock?: () => number;
}): Enrolment {
  const { db, siteCa, pin, log, clock = Date.now } = deps;

  /** Changes what is known of a site, one change after the other. */
  const change = <T>(siteId: string, work: (tx: Database) => Promise<T>): Promise<T> =>
    db.transaction(async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`site:${siteId}`}, 0))`);
      return work(tx);
    });

  async function issue(tx: Database, siteId: string, csr: string): Promise<IssuedCertificate> {
    const issued = await siteCa.issue(siteId, csr).catch((error: unknown) => {
      if (error instanceof RefusedRequest)
        throw new HttpProblem('invalid-certificate-request', error.message);
      throw error;
    });
    await tx.insert(siteCertificates).values({ ...issued, issuedAt: clock() });
    return issued;
  }

  async function checkIn(tx: Database, { siteId, serial, notAfter }: SiteIdentity): Promise<void> {
    if (notAfter <= clock()) throw expired(siteId);
    const [known] = await tx
      .select({ siteId: siteCertificates.siteId, revokedAt: siteCertificates.revokedAt })
      .from(siteCertificates)
      .where(eq(siteCertificates.serial, serial));
    if (known?.siteId !== siteId)
      throw new HttpProblem('certificate-refused', `The certificate of ${siteId} is not known here. ${JOIN}`);
    if (known.revokedAt !== null)
      throw new HttpProblem('certificate-revoked', `The certificate of ${siteId} was revoked. ${JOIN}`);
  }

  return {
    async invite(siteId, by, lifetimeMs) {
      const secret = randomBytes(SECRET_BYTES);
      const expiresAt = clock() + lifetimeMs;
      const fresh = { codeHash: digest(secret), expiresAt, usedAt: null };
      await change(siteId, (tx) =>
        tx
          .insert(siteEnrolments)
          .values({ siteId, addedBy: by.sub, addedById: by.id, ...fresh })
          .onConflictDoUpdate({ target: siteEnrolments.siteId, set: fresh }),
      );
      log.info({ siteId, by: by.sub, expiresAt }, 'a site was invited');
      return { code: writeCode({ siteId, secret, pin }), expiresAt };
    },

    async join(siteId, code, csr) {
      const said = readCode(code);
      const issued = await change(siteId, async (tx) => {
        const [known] = await tx.select().from(siteEnrolments).where(eq(siteEnrolments.siteId, siteId));
        const hash = digest(said?.secret ?? new Uint8Array());
        const fits = timingSafeEqual(Buffer.from(known?.codeHash ?? NO_DIGEST), Buffer.from(hash));
        // Whoever does not have the right code learns nothing, not even whether there is such a site.
        if (!known || !fits || said?.siteId !== siteId) throw new HttpProblem('invalid-code', WRONG_CODE);
        if (known.usedAt !== null)
          throw new HttpProblem('code-used', `The code of ${siteId} was used before. ${ASK}`);
        if (known.expiresAt <= clock())
          throw new HttpProblem('code-expired', `The code of ${siteId} has expired. ${ASK}`);
        const certificate = await issue(tx, siteId, csr);
        await tx.update(siteEnrolments).set({ usedAt: clock() }).where(eq(siteEnrolments.siteId, siteId));
        return certificate;
      });
      log.info({ siteId, serial: issued.serial, notAfter: issued.notAfter }, 'a site joined');
      return issued;
    },

    async renew(current, csr) {
      const { siteId } = current;
      const issued = await change(siteId, async (tx) => {
        await checkIn(tx, current);
        return issue(tx, siteId, csr);
      });
      log.info(
        { siteId, serial: issued.serial, notAfter: issued.notAfter },
        'a site renewed its certificate',
      );
      return issued;
    },

    check: (identity) => checkIn(db, identity),

    async revoke(siteId, by, reason) {
      const now = clock();
      const certificates = await change(siteId, async (tx) => {
        await tx
          .update(siteEnrolments)
          .set({ codeHash: null, expiresAt: now })
          .where(eq(siteEnrolments.siteId, siteId));
        const ofSite = and(eq(siteCertificates.siteId, siteId), isNull(siteCertificates.revokedAt));
        return tx
          .update(siteCertificates)
          .set({ revokedAt: now, revokedBy: by, reason })
          .where(and(ofSite, gt(siteCertificates.notAfter, now)))
          .returning({ serial: siteCertificates.serial });
      });
      log.warn({ siteId, by, reason, certificates: certificates.length }, 'a site was revoked');
      return certificates.length;
    },

    async revoked() {
      const rows = await db
        .select({ serial: siteCertificates.serial })
        .from(siteCertificates)
        .where(and(isNotNull(siteCertificates.revokedAt), gt(siteCertificates.notAfter, clock())))
        .orderBy(asc(siteCertificates.serial));
      return rows.map(({ serial }) => serial);
    },
  };
}

const ASK = 'Ask for a new one: `muster site add` makes it.';
const JOIN = 'Join again, with a new code of `muster site add`.';
const WRONG_CODE = `The code is not one by which this site may join. ${ASK}`;

export function expired(siteId: string): HttpProblem {
  return new HttpProblem('certificate-expired', `The certificate of ${siteId} has expired. ${JOIN}`);
}

const digest = (secret: Uint8Array) => createHash('sha256').update(secret).digest('hex');
/** Of the same length as any digest, and none. */
const NO_DIGEST = '-'.repeat(64);
