/** What central workers send of the outbox, and what they say became of it. */
import { and, desc, eq, inArray, isNull, ne, notInArray, sql } from 'drizzle-orm';
import type { FastifyBaseLogger } from 'fastify';
import { TERMINAL_NODE_STATES } from '../../workflows/contract';
import type { DeliveryOrder, DeliveryReport } from '../../workflows/notice-contract';
import type { Database } from '../db/client';
import { nodes, noticeDeliveries, notices, people } from '../db/schema';
import { HttpProblem } from '../problem';
import type { Links } from '../runs/links';
import type { Occasion } from './occasions';
import { ofNotice } from './of-notice';
import type { NoticeSecrets } from './secrets';
import { mailOf, webhookBody } from './words';

/** Who has not been reached for so long is not told any more, until a lead says so. */
const SWITCHED_OFF_AFTER_MS = 3 * 24 * 3_600_000;
/** Of a receiver; older ones are forgotten. */
const KEPT_DELIVERIES = 100;

const STATE_AFTER = {
  delivered: 'delivered',
  retrying: 'pending',
  failed: 'failed',
  'given-up': 'failed',
} as const satisfies Record<DeliveryReport['outcome'], Row['state']>;

type Row = typeof noticeDeliveries.$inferSelect;
type NoticeRow = typeof notices.$inferSelect;
/** `notice`, `person`: the receiver, if it is still there. */
interface Found {
  delivery: Row;
  notice: NoticeRow | null;
  person: { email: string } | null;
}

export interface Deliveries {
  /** What is to be sent now, secret included. @throws HttpProblem `unknown-notice` */
  order(id: string): Promise<DeliveryOrder>;
  report(id: string, report: DeliveryReport): Promise<void>;
}

interface Deps {
  db: Database;
  secrets: NoticeSecrets;
  links: Links;
  publicUrl: string;
  log: FastifyBaseLogger;
}

export function createDeliveries({ db, secrets, links, publicUrl, log }: Deps): Deliveries {
  async function find(tx: Database, id: string): Promise<Found> {
    const [row] = await tx
      .select({ delivery: noticeDeliveries, notice: notices, person: { email: people.email } })
      .from(noticeDeliveries)
      .leftJoin(notices, ofNotice)
      .leftJoin(people, and(eq(people.id, noticeDeliveries.personId), isNull(people.disabledAt)))
      .where(eq(noticeDeliveries.id, id));
    if (row) return row;
    throw new HttpProblem('unknown-notice', `There is no delivery ${id}.`);
  }

  /** Whether the run still waits for what the notice is about. */
  async function isOver({ event, runId, cause }: Occasion): Promise<boolean> {
    if (event !== 'waiting') return false;
    const open = await db
      .select({ view: nodes.view })
      .from(nodes)
      .where(and(eq(nodes.runId, runId), notInArray(nodes.state, [...TERMINAL_NODE_STATES])));
    return !open.some(({ view }) => view.attention?.type === cause);
  }

  const told = ({ event, consortiumId, occasion, createdAt, personId }: Row) => ({
    ...{ event, consortiumId, occasion, createdAt, isOwn: personId !== null },
    link: occasion ? links(occasion.runId).page : `${publicUrl}/consortia/${consortiumId}`,
  });

  function orderTo(notice: NoticeRow, delivery: Row): DeliveryOrder {
    const { body, sealedSecret } = notice;
    if (body.kind === 'email') return { kind: 'email', to: body.to, ...mailOf(told(delivery)) };
    const secret = secrets.open(sealedSecret ?? '', notice);
    return { kind: 'webhook', url: body.url, secret, body: webhookBody(told(delivery)) };
  }

  return {
    async order(id) {
      const { delivery, notice, person } = await find(db, id);
      if (delivery.state === 'delivered') return { kind: 'over', state: 'delivered' };
      const { occasion, state } = delivery;
      const isOff = notice !== null && notice.off !== null && occasion !== null;
      const isWanted = state !== 'withdrawn' && !isOff && !(occasion && (await isOver(occasion)));
      if (isWanted && person) return { kind: 'email', to: person.email, ...mailOf(told(delivery)) };
      if (isWanted && notice) return orderTo(notice, delivery);
      await db.update(noticeDeliveries).set({ state: 'withdrawn' }).where(eq(noticeDeliveries.id, id));
      return { kind: 'over', state: 'withdrawn' };
    },

    report: (id, { outcome, problem, gone = false }) =>
      db.transaction(async (tx) => {
        const { delivery, notice } = await find(tx, id);
        // What was delivered stays so, whatever an attempt says that was slower; and what was refused needs no giving up.
        const isSettled =
          delivery.state === 'delivered' || (outcome === 'given-up' && delivery.state !== 'pending');
        if (isSettled) return;
        const now = Date.now();
        const tried = { attempts: sql`${noticeDeliveries.attempts} + 1`, triedAt: now };
        await tx
          .update(noticeDeliveries)
          .set({
            state: STATE_AFTER[outcome],
            ...(outcome !== 'given-up' && tried),
            ...(problem !== undefined && { problem }),
          })
          .where(eq(noticeDeliveries.id, id));
        if (notice) await judge(tx, notice, { outcome, gone, problem, now });
        if (outcome !== 'retrying') await forgetOld(tx, delivery);
      }),
  };

  /** What an attempt says of its receiver. */
  async function judge(
    tx: Database,
    notice: NoticeRow,
    {
      outcome,
      gone,
      problem,
      now,
    }: Pick<DeliveryReport, 'outcome' | 'problem'> & { gone: boolean; now: number },
  ): Promise<void> {
    const failingSince = outcome === 'delivered' ? null : (notice.failingSince ?? now);
    const isLost =
      STATE_AFTER[outcome] === 'failed' &&
      (gone || (failingSince !== null && now - failingSince >= SWITCHED_OFF_AFTER_MS));
    const reason = problem ?? 'Nothing reached it.';
    await tx
      .update(notices)
      .set({ failingSince, ...(isLost && { off: { at: now, reason } }) })
      .where(and(eq(notices.consortiumId, notice.consortiumId), eq(notices.id, notice.id)));
    if (isLost)
      log.warn({ consortiumId: notice.consortiumId, notice: notice.id, reason }, 'a notice was switched off');
  }
}

async function forgetOld(tx: Database, { consortiumId, noticeId, personId }: Row): Promise<void> {
  const ofReceiver =
    noticeId === null
      ? eq(noticeDeliveries.personId, personId ?? '')
      : and(eq(noticeDeliveries.consortiumId, consortiumId), eq(noticeDeliveries.noticeId, noticeId));
  const old = await tx
    .select({ id: noticeDeliveries.id })
    .from(noticeDeliveries)
    .where(and(ofReceiver, ne(noticeDeliveries.state, 'pending')))
    .orderBy(desc(noticeDeliveries.createdAt))
    .offset(KEPT_DELIVERIES);
  if (old.length === 0) return;
  const ids = old.map(({ id }) => id);
  await tx.delete(noticeDeliveries).where(inArray(noticeDeliveries.id, ids));
}
