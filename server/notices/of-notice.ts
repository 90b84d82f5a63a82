/** Which notice a delivery is for: one of its consortium's, if that is still there. A delivery to a person is for none. */
import { and, eq } from 'drizzle-orm';
import { noticeDeliveries, notices } from '../db/schema';

export const ofNotice = and(
  eq(notices.consortiumId, noticeDeliveries.consortiumId),
  eq(notices.id, noticeDeliveries.noticeId),
);
