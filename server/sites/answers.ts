/**
 * What people say on the page of runs that wait at a site. It is kept until the site has taken it, and is for a site whose own file
 * takes such answers; the site looks at that itself, too.
 */
import { and, asc, eq, notInArray, sql } from 'drizzle-orm';
import type {
  AnswerAskBody,
  Ask,
  AskAnswer,
  ReadinessBody,
  SiteAnswers,
} from '../../workflows/consortium-contract';
import type { Database } from '../db/client';
import { siteAnswers } from '../db/schema';
import { HttpProblem } from '../problem';
import { readTold } from './told';

export interface Answers {
  /**
   * Answers what the site asks now. The first answer stands until the site has taken it; the same once more changes nothing.
   * @throws HttpProblem
   */
  answer(
    siteId: string,
    askId: string,
    said: AnswerAskBody,
    by: string,
  ): Promise<{ ask: Ask; answer: AskAnswer }>;
  /** What the site has not taken yet. */
  of(siteId: string): Promise<SiteAnswers['answers']>;
}

/** @param deps.clock milliseconds since the epoch */
export function createAnswers({ db, clock = Date.now }: { db: Database; clock?: () => number }): Answers {
  return {
    answer: (siteId, askId, said, by) =>
      db.transaction(async (tx) => {
        await inTurn(tx, siteId);
        const told = await readTold(tx, siteId);
        if (told && told.body.policy.approval !== 'page')
          throw new HttpProblem(
            'answered-at-site',
            `The site ${siteId} takes no answers from here: its file does not say \`approval: page\`. At the site, it is \`muster site approve\` or \`muster site refuse\`.`,
          );
        const ask = told?.body.asks.find(({ id }) => id === askId);
        if (!ask)
          throw new HttpProblem('unknown-ask', `The site ${siteId} does not ask that, or does so no more.`);
        await tx
          .insert(siteAnswers)
          .values({ siteId, askId, ...said, by, at: clock() })
          .onConflictDoNothing();
        const [row] = await tx
          .select()
          .from(siteAnswers)
          .where(and(eq(siteAnswers.siteId, siteId), eq(siteAnswers.askId, askId)));
        if (!row) throw new Error('an answer that was just written is not there');
        if (row.verdict !== said.verdict)
          throw new HttpProblem(
            'already-answered',
            `${row.by} has ${row.verdict} it already, and the site is about to know.`,
          );
        return { ask, answer: answerOf(row) };
      }),

    async of(siteId) {
      const rows = await db
        .select()
        .from(siteAnswers)
        .where(eq(siteAnswers.siteId, siteId))
        .orderBy(asc(siteAnswers.at), asc(siteAnswers.askId));
      return rows.map((row) => ({ askId: row.askId, ...answerOf(row) }));
    },
  };
}

/** What a site says and what is answered to it happens one after the other. */
export const inTurn = (tx: Database, siteId: string) =>
  tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`answers:${siteId}`}, 0))`);

/** Forgets answers to what the site asks no more, having taken them or not, and all where it takes none from here. */
export async function forgetSettled(
  tx: Database,
  siteId: string,
  { policy, asks }: ReadinessBody,
): Promise<void> {
  const open = policy.approval === 'page' ? asks.map(({ id }) => id) : [];
  await tx
    .delete(siteAnswers)
    .where(and(eq(siteAnswers.siteId, siteId), notInArray(siteAnswers.askId, open)));
}

function answerOf({ verdict, why, by, at }: typeof siteAnswers.$inferSelect): AskAnswer {
  return { verdict, by, at, ...(why !== null && { why }) };
}
