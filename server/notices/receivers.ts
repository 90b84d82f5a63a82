/** Who is told of what happens to a consortium's runs. */
import { and, asc, count, desc, eq, gte, ne, sql } from 'drizzle-orm';
import type { Notice, NoticeBody, NoticeDelivery } from '../../workflows/notice-contract';
import { mustBeConsortium } from '../consortia/known-consortium';
import type { Database } from '../db/client';
import { noticeDeliveries, notices } from '../db/schema';
import { HttpProblem } from '../problem';
import type { NoticeRef, NoticeSecrets } from './secrets';

/** Every one is told of every event: this is for people and a few programs, not for a mailing list. */
const MOST_RECEIVERS = 20;
const SHOWN_DELIVERIES = 10;

export interface Receivers {
  list(consortiumId: string): Promise<Notice[]>;
  /** Creates or replaces one, and switches it on. `secret`: of a webhook that is new, or asked for a new one. */
  put(
    ref: NoticeRef,
    body: NoticeBody,
    by: string,
    renewSecret: boolean,
  ): Promise<{ notice: Notice; secret?: string }>;
  remove(ref: NoticeRef): Promise<void>;
  /** @throws HttpProblem `unknown-notice` */
  get(ref: NoticeRef): Promise<typeof notices.$inferSelect>;
}

const is = ({ consortiumId, id }: NoticeRef) =>
  and(eq(notices.consortiumId, consortiumId), eq(notices.id, id));
const ofReceiver = ({ consortiumId, id }: NoticeRef) =>
  and(eq(noticeDeliveries.consortiumId, consortiumId), eq(noticeDeliveries.noticeId, id));
const unknownNotice = ({ consortiumId, id }: NoticeRef) =>
  new HttpProblem('unknown-notice', `The consortium ${consortiumId} has no notice ${id}.`);

export function createReceivers({ db, secrets }: { db: Database; secrets: NoticeSecrets }): Receivers {
  async function view(row: typeof notices.$inferSelect): Promise<Notice> {
    const latest = await db
      .select()
      .from(noticeDeliveries)
      .where(and(ofReceiver(row), gte(noticeDeliveries.createdAt, row.createdAt)))
      .orderBy(desc(noticeDeliveries.createdAt))
      .limit(SHOWN_DELIVERIES);
    const { id, body, createdBy, createdAt, failingSince, off } = row;
    return {
      ...body,
      ...{ id, createdBy, createdAt },
      ...(failingSince !== null && { failingSince }),
      ...(off !== null && { off }),
      deliveries: latest.map(deliveryView),
    };
  }

  return {
    async list(consortiumId) {
      await mustBeConsortium(db, consortiumId);
      const rows = await db
        .select()
        .from(notices)
        .where(eq(notices.consortiumId, consortiumId))
        .orderBy(asc(notices.createdAt));
      return Promise.all(rows.map(view));
    },

    async put(ref, body, by, renewSecret) {
      const { row, secret } = await db.transaction(async (tx) => {
        // Of receivers that are put at once, none goes unnoticed by the other.
        await tx.execute(
          sql`select pg_advisory_xact_lock(hashtextextended(${`notices ${ref.consortiumId}`}, 0))`,
        );
        await mustBeConsortium(tx, ref.consortiumId);
        const [before] = await tx.select().from(notices).where(is(ref));
        if (!before) await mustHaveRoom(tx, ref.consortiumId);
        const kept = renewSecret ? null : (before?.sealedSecret ?? null);
        const secret = body.kind === 'webhook' && kept === null ? secrets.make() : undefined;
        const sealedSecret =
          body.kind === 'email' ? null : secret === undefined ? kept : secrets.seal(secret, ref);
        const values = { body, sealedSecret, failingSince: null, off: null };
        const [row] = await tx
          .insert(notices)
          .values({ ...ref, ...values, createdBy: by, createdAt: Date.now() })
          .onConflictDoUpdate({ target: [notices.consortiumId, notices.id], set: values })
          .returning();
        return { row, secret };
      });
      if (row === undefined) throw unknownNotice(ref);
      return { notice: await view(row), ...(secret !== undefined && { secret }) };
    },

    async remove(ref) {
      await mustBeConsortium(db, ref.consortiumId);
      const [gone] = await db.delete(notices).where(is(ref)).returning({ id: notices.id });
      if (!gone) throw unknownNotice(ref);
      // Those that are on their way find out that there is nobody any more.
      await db.delete(noticeDeliveries).where(and(ofReceiver(ref), ne(noticeDeliveries.state, 'pending')));
    },

    async get(ref) {
      await mustBeConsortium(db, ref.consortiumId);
      const [row] = await db.select().from(notices).where(is(ref));
      if (row) return row;
      throw unknownNotice(ref);
    },
  };
}

async function mustHaveRoom(tx: Database, consortiumId: string): Promise<void> {
  const [row] = await tx
    .select({ there: count() })
    .from(notices)
    .where(eq(notices.consortiumId, consortiumId));
  if ((row?.there ?? 0) >= MOST_RECEIVERS)
    throw new HttpProblem('too-many-notices', `A consortium has at most ${MOST_RECEIVERS} notices.`);
}

function deliveryView(row: typeof noticeDeliveries.$inferSelect): NoticeDelivery {
  const { id, event, runId, state, attempts, createdAt, triedAt, problem } = row;
  return {
    ...{ id, event, state, attempts, createdAt },
    ...(runId !== null && { runId }),
    ...(triedAt !== null && { triedAt }),
    ...(problem !== null && { problem }),
  };
}
