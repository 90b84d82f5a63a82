/**
 * The outbox of notices: a notice is written down in the transaction of what it tells of, and handed to Temporal after that. So
 * none is lost when Temporal is away just then, and none is sent of something that did not come about.
 */
import { and, asc, eq, gt, ne } from 'drizzle-orm';
import type { FastifyBaseLogger } from 'fastify';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NoticeInput } from '../../workflows/notice-delivery';
import type { Database } from '../db/client';
import { noticeDeliveries, notices } from '../db/schema';
import { HttpProblem } from '../problem';
import { isToldAtOnce, type Occasion } from './occasions';
import { ofNotice } from './of-notice';
import { peopleToTell } from './people';
import type { Post } from './post';

const LOOK_EVERY_MS = 5_000;
const AT_ONCE = 50;
/** A run that waits, goes on and waits again for the same is told of so often. */
const SAME_AGAIN_MS = 3_600_000;
const PAUSE = '1m';
const PATIENCE = '24h';
/** Of a test: somebody looks at the page. */
const TEST_PATIENCE = '30s';

type Delivery = Pick<
  typeof noticeDeliveries.$inferSelect,
  'id' | 'consortiumId' | 'noticeId' | 'personId' | 'event' | 'occasion'
>;
/** Who is told: one of the consortium's notices, or a person. */
interface Receiver {
  noticeId?: string;
  personId?: string;
}

export interface Outbox {
  /** Writes down who is to be told, in the transaction of what has happened. */
  write(tx: Database, occasions: readonly Occasion[]): Promise<void>;
  /** Writes down a test; answers its id. */
  writeTest(consortiumId: string, noticeId: string): Promise<string>;
  /** Hands over soon what was written down; nobody waits for it. */
  wake(): void;
  /** Hands over what there is, now and whenever there is more, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createOutbox({
  db,
  post,
  log,
}: {
  db: Database;
  post: Post;
  log: FastifyBaseLogger;
}): Outbox {
  let ring: () => void = () => undefined;
  let wakes = 0;

  /** Whether Temporal has it now. One that it refuses does not keep the others back. */
  async function isSent(delivery: Delivery, by: NoticeInput['by']): Promise<boolean> {
    const { id, consortiumId } = delivery;
    try {
      await post.send(orderOf(delivery, by), { consortiumId, summary: summaryOf(delivery) });
      return true;
    } catch (err) {
      if (!(err instanceof HttpProblem) || err.body.status !== 502) throw err;
      log.warn({ err, delivery: id }, 'Temporal refuses a notice');
      return false;
    }
  }

  async function handOver(): Promise<void> {
    for (;;) {
      let done = 0;
      const waiting = await db
        .select({ delivery: noticeDeliveries, body: notices.body })
        .from(noticeDeliveries)
        .leftJoin(notices, ofNotice)
        .where(eq(noticeDeliveries.handedOver, false))
        .orderBy(asc(noticeDeliveries.createdAt))
        .limit(AT_ONCE);
      for (const { delivery, body } of waiting) {
        const isGone = body === null && delivery.personId === null;
        if (!isGone && !(await isSent(delivery, body?.kind ?? 'email'))) continue;
        done++;
        await db
          .update(noticeDeliveries)
          .set({ handedOver: true, ...(isGone && { state: 'withdrawn' }) })
          .where(eq(noticeDeliveries.id, delivery.id));
      }
      if (done < AT_ONCE) return;
    }
  }

  return {
    async write(tx, occasions) {
      for (const occasion of occasions) {
        const { event, runId, consortium } = occasion;
        const again = event === 'waiting' ? await toldLately(tx, occasion) : new Set<string>();
        const values = (await receiversOf(tx, occasion))
          .map((receiver) => ({
            ...{ id: deliveryId(occasion, receiver), consortiumId: consortium.id, ...receiver },
            ...{ event, runId, occasion, createdAt: Date.now() },
          }))
          .filter(({ noticeId, personId }) => !again.has(keyOf({ noticeId, personId })));
        if (values.length > 0) await tx.insert(noticeDeliveries).values(values).onConflictDoNothing();
      }
    },

    async writeTest(consortiumId, noticeId) {
      const id = `notice.test.${randomBytes(8).toString('hex')}`;
      await db
        .insert(noticeDeliveries)
        .values({ id, consortiumId, noticeId, event: 'test', createdAt: Date.now() });
      return id;
    },

    wake() {
      wakes++;
      ring();
    },

    async run(signal) {
      while (!signal.aborted) {
        const seen = wakes;
        await handOver().catch((err: unknown) => {
          if (!signal.aborted) log.warn({ err }, 'notices are not handed to Temporal yet');
        });
        if (wakes !== seen) continue;
        const rung = new AbortController();
        ring = () => rung.abort();
        const either = AbortSignal.any([signal, rung.signal]);
        await sleep(LOOK_EVERY_MS, undefined, { signal: either, ref: false }).catch(() => undefined);
      }
    },
  };
}

async function receiversOf(tx: Database, occasion: Occasion): Promise<Receiver[]> {
  const { event, consortium } = occasion;
  const rows = await tx.select().from(notices).where(eq(notices.consortiumId, consortium.id));
  const told = rows.filter(({ body, off }) => off === null && body.on.includes(event));
  const people = await peopleToTell(tx, occasion);
  return [...told.map(({ id }) => ({ noticeId: id })), ...people.map((personId) => ({ personId }))];
}

/** The receivers that were told already that this launch waits for the same. */
async function toldLately(tx: Database, { runId, launch, cause }: Occasion): Promise<Set<string>> {
  const { noticeId, personId, occasion } = noticeDeliveries;
  const lately = gt(noticeDeliveries.createdAt, Date.now() - SAME_AGAIN_MS);
  const rows = await tx
    .select({ noticeId, personId, occasion })
    .from(noticeDeliveries)
    .where(
      and(
        ...[eq(noticeDeliveries.runId, runId), eq(noticeDeliveries.event, 'waiting'), lately],
        ne(noticeDeliveries.state, 'withdrawn'),
      ),
    );
  const same = rows.filter((row) => row.occasion?.launch === launch && row.occasion.cause === cause);
  return new Set(same.map(keyOf));
}

/** A receiver among all of them. */
const keyOf = ({ noticeId, personId }: { [Key in keyof Receiver]?: string | null | undefined }): string =>
  noticeId ? `notice ${noticeId}` : `person ${personId ?? ''}`;

/** What happened, and who is told: the same again is the same delivery. */
function deliveryId({ runId, launch, event, cause = '', at }: Occasion, receiver: Receiver): string {
  const who = keyOf(receiver);
  const what = event === 'waiting' ? [launch, event, cause, at, who] : [launch, event, who];
  const digest = createHash('sha256').update(JSON.stringify(what)).digest('hex');
  return `${runId}.notice.${digest.slice(0, 16)}`;
}

function orderOf({ id, event, occasion }: Delivery, by: NoticeInput['by']): NoticeInput {
  return {
    ...{ deliveryId: id, by, patience: event === 'test' ? TEST_PATIENCE : PATIENCE },
    ...(occasion && !isToldAtOnce(occasion) && { pause: PAUSE }),
  };
}

const summaryOf = ({ event, noticeId }: Delivery) => `${noticeId ?? 'A person'} is told: ${event}`;
