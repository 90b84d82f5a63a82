/** Who did what to which run, site or consortium, when and from where. It is only ever added to. */
import { and, asc, desc, eq, gt, inArray, like, lt, or, type SQL } from 'drizzle-orm';
import type { AuditEntry } from '../../workflows/audit-contract';
import type { Caller } from '../access';
import type { Database } from '../db/client';
import { audit } from '../db/schema';

/** Of the export, read at once. */
const BATCH = 500;

export interface AuditWrite {
  action: string;
  /** Absent where somebody comes who is not known yet. */
  by: Caller | undefined;
  /** From where. */
  address: string;
  consortiumId?: string | undefined;
  siteId?: string | undefined;
  runId?: string | undefined;
  /** What of it changed: names and choices, never a secret. */
  detail?: Record<string, unknown> | undefined;
}

export interface AuditQuery {
  consortium?: string | undefined;
  site?: string | undefined;
  run?: string | undefined;
  /** Who: their name, or their id. */
  who?: string | undefined;
  /** How the name of what was done begins. */
  actions?: string | undefined;
}

export interface Audit {
  write(entry: AuditWrite): Promise<void>;
  /**
   * The newest first, before the entry `before`.
   * @param consortia only what was done in these; `undefined` is all
   */
  read(
    query: AuditQuery & { before?: number | undefined; limit: number },
    consortia: readonly string[] | undefined,
  ): Promise<AuditEntry[]>;
  /** All there is, the oldest first. */
  all(): AsyncGenerator<AuditEntry>;
}

/** @param deps.clock milliseconds since the epoch */
export function createAudit({ db, clock = Date.now }: { db: Database; clock?: () => number }): Audit {
  return {
    async write({ by, ...entry }) {
      const who =
        by?.role === 'person'
          ? { by: by.sub, personId: by.id, via: by.via }
          : { by: by?.sub ?? 'nobody', via: by?.role ?? 'nothing' };
      await db.insert(audit).values({ ...entry, ...who, at: clock() });
    },

    async read({ before, limit, consortium, site, run, who, actions }, consortia) {
      const conditions: (SQL | undefined)[] = [
        before === undefined ? undefined : lt(audit.id, before),
        consortia && inArray(audit.consortiumId, [...consortia]),
        consortium === undefined ? undefined : eq(audit.consortiumId, consortium),
        site === undefined ? undefined : eq(audit.siteId, site),
        run === undefined ? undefined : eq(audit.runId, run),
        actions === undefined ? undefined : like(audit.action, `${actions}%`),
        who === undefined ? undefined : or(eq(audit.by, who), eq(audit.personId, who)),
      ];
      const rows = await db
        .select()
        .from(audit)
        .where(and(...conditions))
        .orderBy(desc(audit.id))
        .limit(limit);
      return rows.map(entryOf);
    },

    async *all() {
      let last = 0;
      for (;;) {
        const rows = await db
          .select()
          .from(audit)
          .where(gt(audit.id, last))
          .orderBy(asc(audit.id))
          .limit(BATCH);
        yield* rows.map(entryOf);
        const end = rows.at(-1);
        if (end === undefined || rows.length < BATCH) return;
        last = end.id;
      }
    },
  };
}

function entryOf({ id, at, action, by, via, address, ...more }: typeof audit.$inferSelect): AuditEntry {
  const known = Object.entries(more).filter(([, value]) => value !== null);
  return { id, at, action, by, via, address, ...Object.fromEntries(known) };
}
