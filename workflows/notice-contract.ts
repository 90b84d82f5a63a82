/** What the central API takes and answers about notices: who is told, by webhook or by mail, of what happens to runs. */
import { z } from 'zod';
import { ConsortiumId } from './contract';
import { DeliveryId } from './notice-delivery';
import { MailAddress } from './people-contract';

/** `finished`: complete, or stopped. `waiting`: a person has to do something before the run goes on. */
export const NOTICE_EVENTS = ['finished', 'failed', 'waiting'] as const;
export const NoticeEvent = z.enum(NOTICE_EVENTS);
export type NoticeEvent = z.output<typeof NoticeEvent>;

export const NoticeId = z
  .string()
  .max(40)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 'use a-z, 0-9 and - only')
  .describe('A name for the receiver, such as `lab-chat`.');

const on = z
  .array(NoticeEvent)
  .min(1, 'name at least one')
  .max(NOTICE_EVENTS.length)
  .refine((events) => new Set(events).size === events.length, 'name each once')
  .meta({ uniqueItems: true })
  .describe(
    '`finished`: complete or stopped; `failed`; `waiting`: a person has to do something before it goes on.',
  );

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether notices may be sent there as far as the address alone tells; the worker checks where it leads. */
function isWebhookUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
  return isSafe && username === '' && password === '';
}

const Webhook = z.strictObject({
  kind: z.literal('webhook'),
  url: z
    .string()
    .max(2000)
    .refine(
      isWebhookUrl,
      'must be an address like https://example.org/hooks/muster, without a password in it',
    )
    .describe('Where each notice is posted.'),
  on,
});
const Email = z.strictObject({ kind: z.literal('email'), to: MailAddress, on });

/** Who is told, of what. */
export const NoticeBody = z.discriminatedUnion('kind', [Webhook, Email]);
export type NoticeBody = z.output<typeof NoticeBody>;

export const DELIVERY_STATES = ['pending', 'delivered', 'failed', 'withdrawn'] as const;

/** One notice to one receiver. */
export const NoticeDelivery = z.object({
  id: DeliveryId,
  event: z.enum([...NOTICE_EVENTS, 'test']),
  /** Absent for a test. */
  runId: z.string().optional(),
  state: z
    .enum(DELIVERY_STATES)
    .describe('`withdrawn`: the run did not wait any more, or the receiver was removed.'),
  attempts: z.int().nonnegative(),
  createdAt: z.number(),
  /** When it was tried last. */
  triedAt: z.number().optional(),
  /** What the last failed attempt came to. */
  problem: z.string().optional(),
});
export type NoticeDelivery = z.output<typeof NoticeDelivery>;

const shown = {
  id: NoticeId,
  createdBy: z.string(),
  createdAt: z.number(),
  /** Since when nothing reached it. */
  failingSince: z.number().optional(),
  off: z
    .object({ at: z.number(), reason: z.string() })
    .optional()
    .describe('It was switched off, for nothing had reached it for days. Put it once more to switch it on.'),
  deliveries: z.array(NoticeDelivery).describe('The latest, newest first.'),
};
/** A receiver as it is shown. */
export const Notice = z.discriminatedUnion('kind', [
  z.object({ ...Webhook.shape, ...shown }),
  z.object({ ...Email.shape, ...shown }),
]);
export type Notice = z.output<typeof Notice>;

/** What a central worker says of a mail that it cannot send for it knows no mail server. */
export const NO_MAIL_SERVER =
  'No mail can be sent from here: the operator has to set MUSTER_SMTP_URL and MUSTER_SMTP_FROM of the central worker.';
const noMailServer = z
  .boolean()
  .describe(
    'Whether the last mail that was to be sent could not be, for the instance has no mail server set.',
  );

export const NoticeList = z.object({ notices: z.array(Notice), noMailServer });

/** `secret`: of a new webhook, or of one that asked for another; it is shown this once. */
export const PutNotice = z.object({
  notice: Notice,
  secret: z
    .string()
    .optional()
    .describe('Verifies signatures (Standard Webhooks). It is shown this once, and kept sealed.'),
});

export const TestedNotice = z.object({ deliveryId: DeliveryId });

/** What a person is told of by mail; nothing at first. */
export const MyNotices = z.strictObject({
  on: z
    .array(NoticeEvent)
    .max(NOTICE_EVENTS.length)
    .refine((events) => new Set(events).size === events.length, 'name each once')
    .meta({ uniqueItems: true }),
});

export const MyNoticesView = z.object({ ...MyNotices.shape, noMailServer });

/** What is posted to a webhook. Nothing in it comes from a computation's own words. */
export const WebhookMessage = z.object({
  type: z.enum(['run.finished', 'run.failed', 'run.waiting', 'test']),
  /** When it happened, ISO 8601. */
  timestamp: z.iso.datetime(),
  data: z.object({
    consortium: ConsortiumId,
    runId: z.string().optional(),
    state: z.string().optional(),
    /** Of the list in docs/errors.md. */
    cause: z.string().optional(),
    node: z.string().optional(),
    turn: z.string().optional(),
    link: z.string(),
  }),
});
export type WebhookMessage = z.output<typeof WebhookMessage>;

// ---------------------------------------------------------------- between the central worker and the API

/** What a central worker is to send. */
export const DeliveryOrder = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('over'), state: z.enum(['delivered', 'withdrawn']) }),
  z.object({ kind: z.literal('webhook'), url: z.string(), secret: z.string(), body: z.string() }),
  z.object({ kind: z.literal('email'), to: z.string(), subject: z.string(), text: z.string() }),
]);
export type DeliveryOrder = z.output<typeof DeliveryOrder>;

/** What became of an attempt: `failed` is the last one, and after `given-up` there is none. */
export const DeliveryReport = z.strictObject({
  outcome: z.enum(['delivered', 'retrying', 'failed', 'given-up']),
  problem: z.string().max(1000).optional(),
  /** The receiver says that it is gone for good. */
  gone: z.boolean().optional(),
});
export type DeliveryReport = z.output<typeof DeliveryReport>;
