/** What all ways to send a notice have in common: what is to be sent comes from the central API, and it is told what came of it. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { CentralApi } from '../../client/central-api';
import type { DeliveryOrder } from '../../workflows/notice-contract';
import type { NoticeResult } from '../../workflows/notice-delivery';
import { failure } from '../../workflows/errors';

export type DeliveryApi = Pick<CentralApi, 'getDeliveryOrder' | 'reportDelivery'>;
type Sent = Exclude<DeliveryOrder, { kind: 'over' }>;

const LONGEST_PROBLEM = 1000;

/** The receiver does not take it, and would not if it were sent again. */
export class NoticeRefused extends Error {
  override name = 'NoticeRefused';
  /** @param gone whether the receiver says that there is nobody for good */
  constructor(
    message: string,
    readonly gone = false,
  ) {
    super(message);
  }
}

/** The receiver was not reached, or could not take it just now. */
export class NoticeUnheard extends Error {
  override name = 'NoticeUnheard';
  /** @param pause seconds to wait before the next attempt, where the receiver says so */
  constructor(
    message: string,
    readonly pause?: number,
  ) {
    super(message);
  }
}

/**
 * Sends once. A worker that dies after it has sent and before it could say so sends again: with the same id, by which receivers
 * know that they have it.
 * @throws ApplicationFailure `NoticeNotDelivered`
 */
export async function deliver<Kind extends Sent['kind']>(
  api: DeliveryApi,
  deliveryId: string,
  kind: Kind,
  send: (order: Extract<Sent, { kind: Kind }>) => Promise<void>,
): Promise<NoticeResult> {
  const { cancellationSignal } = Context.current();
  const order = await api.getDeliveryOrder(deliveryId, cancellationSignal);
  if (order.kind === 'over') return { state: order.state };
  if (!isOf(order, kind)) throw failure('InvalidRunInput', `${deliveryId} is not sent by ${kind}`);
  try {
    await send(order);
  } catch (error) {
    if (!(error instanceof NoticeRefused || error instanceof NoticeUnheard)) throw error;
    const { message } = error;
    const problem = message.slice(0, LONGEST_PROBLEM);
    if (error instanceof NoticeRefused) {
      await api.reportDelivery(
        deliveryId,
        { outcome: 'failed', problem, gone: error.gone },
        cancellationSignal,
      );
      throw ApplicationFailure.create({ type: 'NoticeNotDelivered', message, nonRetryable: true });
    }
    await api.reportDelivery(deliveryId, { outcome: 'retrying', problem }, cancellationSignal);
    const { pause } = error;
    throw ApplicationFailure.create({
      ...{ type: 'NoticeNotDelivered', message },
      ...(pause !== undefined && { nextRetryDelay: pause * 1000 }),
    });
  }
  await api.reportDelivery(deliveryId, { outcome: 'delivered' }, cancellationSignal);
  return { state: 'delivered' };
}

function isOf<Kind extends Sent['kind']>(order: Sent, kind: Kind): order is Extract<Sent, { kind: Kind }> {
  return order.kind === kind;
}
