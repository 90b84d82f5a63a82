/** Whether mails get out of the instance: the central workers know the mail server, and what they last said of one tells. */
import { and, desc, eq, isNotNull, or, sql } from 'drizzle-orm';
import { NO_MAIL_SERVER } from '../../workflows/notice-contract';
import type { Database } from '../db/client';
import { noticeDeliveries, notices } from '../db/schema';
import { ofNotice } from './of-notice';

export interface Mail {
  /** Whether the last mail that was to be sent could not be, for no mail server is set. */
  isWithoutServer(): Promise<boolean>;
}

export function createMail(db: Database): Mail {
  return {
    async isWithoutServer() {
      const [last] = await db
        .select({ state: noticeDeliveries.state, problem: noticeDeliveries.problem })
        .from(noticeDeliveries)
        .leftJoin(notices, ofNotice)
        .where(
          and(
            isNotNull(noticeDeliveries.triedAt),
            or(isNotNull(noticeDeliveries.personId), eq(sql`${notices.body} ->> 'kind'`, 'email')),
          ),
        )
        .orderBy(desc(noticeDeliveries.triedAt))
        .limit(1);
      return last !== undefined && last.state !== 'delivered' && last.problem === NO_MAIL_SERVER;
    },
  };
}
