/**
 * NoticeWorkflow: tells one receiver of one thing that happened to a run. It knows neither of them: the activity fetches both from
 * the central API, so that no address and no secret gets into a history.
 */
import { CancellationScope, proxyActivities, sleep } from '@temporalio/workflow';
import { delivering, reporting } from './activity-options';
import { toMilliseconds } from './contract';
import { failure } from './errors';
import { lastWords } from './failures';
import { problems } from './messages';
import { NoticeInput, type NoticeActivities, type NoticeResult } from './notice-delivery';

/** @throws ApplicationFailure `NoticeNotDelivered`: the receiver refused it, or did not take it in time */
export async function NoticeWorkflow(raw: unknown): Promise<NoticeResult> {
  const input = NoticeInput.safeParse(raw);
  if (!input.success) throw failure('InvalidRunInput', problems(input.error));
  const { deliveryId, by, pause, patience } = input.data;
  const { deliverWebhook, sendEmail } = proxyActivities<NoticeActivities>(delivering(patience));
  const { giveUpNotice } = proxyActivities<NoticeActivities>(reporting);
  try {
    if (pause !== undefined) await sleep(toMilliseconds(pause));
    return await (by === 'webhook' ? deliverWebhook : sendEmail)({ deliveryId });
  } catch (error) {
    const reason = lastWords(error);
    await CancellationScope.nonCancellable(() => giveUpNotice({ deliveryId, reason }));
    throw error;
  }
}
