/** Where a site stands: whether it is invited, has joined, or is out again. */
import { eq, sql } from 'drizzle-orm';
import type { SiteStanding } from '../../workflows/identity-contract';
import type { Database } from '../db/client';
import { siteCertificates, siteEnrolments } from '../db/schema';

/** What is kept of a site that was added; moments are in milliseconds since the epoch. */
export interface Traces {
  /** It has none when it was revoked after it got the last. */
  hasCode: boolean;
  /** When its code ends, or the site was revoked. */
  codeEnds: number;
  codeUsed: number | null;
  /** The end of the last of its certificates that were not revoked. */
  certificateEnds: number | null;
}

export function standingOf(
  { hasCode, codeEnds, codeUsed, certificateEnds }: Traces,
  now: number,
): SiteStanding {
  if (certificateEnds !== null && certificateEnds > now) return { state: 'joined', at: certificateEnds };
  if (!hasCode) return { state: 'revoked', at: codeEnds };
  if (codeUsed === null && codeEnds > now) return { state: 'invited', at: codeEnds };
  return { state: 'expired', at: certificateEnds ?? codeEnds };
}

/** Of every site that was added. */
export async function readStandings(db: Database, now = Date.now()): Promise<Map<string, SiteStanding>> {
  const { notAfter, revokedAt } = siteCertificates;
  const rows = await db
    .select({
      siteId: siteEnrolments.siteId,
      hasCode: sql<boolean>`${siteEnrolments.codeHash} is not null`,
      codeEnds: siteEnrolments.expiresAt,
      codeUsed: siteEnrolments.usedAt,
      certificateEnds: sql<number | null>`max(${notAfter}) filter (where ${revokedAt} is null)`,
    })
    .from(siteEnrolments)
    .leftJoin(siteCertificates, eq(siteCertificates.siteId, siteEnrolments.siteId))
    .groupBy(siteEnrolments.siteId);
  return new Map(rows.map(({ siteId, ...traces }) => [siteId, standingOf(traces, now)]));
}
