/** The contract of NoticeWorkflow: one notice to one receiver. What it says, and to whom, stays with the central API. */
import { z } from 'zod';
import { Duration } from './contract';

/** Workflow type name. */
export const NOTICE_WORKFLOW = 'NoticeWorkflow';

/** Also the workflow id: made of what happened and who is told, so that nothing is sent twice. */
export const DeliveryId = z
  .string()
  .max(120)
  .regex(/^[a-z0-9][a-z0-9.-]*$/, 'use a-z, 0-9, . and - only');

export const NoticeInput = z.strictObject({
  deliveryId: DeliveryId,
  by: z.enum(['webhook', 'email']),
  /** How long to wait first: what is over by then is not told. */
  pause: Duration.optional(),
  /** For how long it is tried. */
  patience: Duration,
});
export type NoticeInput = z.output<typeof NoticeInput>;

/** `withdrawn`: there was nothing to tell any more, or nobody. */
export interface NoticeResult {
  state: 'delivered' | 'withdrawn';
}

export const DeliveryRef = z.strictObject({ deliveryId: DeliveryId });
export type DeliveryRef = z.output<typeof DeliveryRef>;
export const GivenUp = DeliveryRef.extend({ reason: z.string() });
export type GivenUp = z.output<typeof GivenUp>;

/** Any central worker may do these; queue `CENTRAL_QUEUE`. */
export interface NoticeActivities {
  deliverWebhook(input: DeliveryRef): Promise<NoticeResult>;
  sendEmail(input: DeliveryRef): Promise<NoticeResult>;
  /** The central API writes down that nobody tries any more. */
  giveUpNotice(input: GivenUp): Promise<void>;
}
