/** giveUpNotice: the central API writes down that a notice is not sent any more. */
import type { GivenUp } from '../../workflows/notice-delivery';
import type { DeliveryApi } from './delivery';

const LONGEST_PROBLEM = 1000;

export function createGiveUpNotice(api: DeliveryApi) {
  return async function giveUpNotice({ deliveryId, reason }: GivenUp): Promise<void> {
    await api.reportDelivery(deliveryId, { outcome: 'given-up', problem: reason.slice(0, LONGEST_PROBLEM) });
  };
}
