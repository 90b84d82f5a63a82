/** deliverWebhook: posts a notice, signed as Standard Webhooks has it. */
import { Context } from '@temporalio/activity';
import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { errorCode } from '../../nodes/error-code';
import { timeLimit } from '../../time/limit';
import type { DeliveryRef, NoticeResult } from '../../workflows/notice-delivery';
import { deliver, NoticeRefused, NoticeUnheard, type DeliveryApi } from './delivery';
import {
  createWebhookAddresses,
  ForbiddenAddress,
  type Network,
  type WebhookAddresses,
} from './webhook-address';

const CONNECT_MS = 10_000;
const ANSWER_MS = 20_000;
/** Of an answer nobody reads more than its status. */
const ANSWER_BYTES = 64 * 1024;
/** What may pass although it is said to be the sender's fault. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);
const GONE = 410;
const LONGEST_PAUSE_S = 3_600;

export function createDeliverWebhook(api: DeliveryApi, networks: readonly Network[]) {
  const addresses = createWebhookAddresses(networks);
  return async function deliverWebhook({ deliveryId }: DeliveryRef): Promise<NoticeResult> {
    return deliver(api, deliveryId, 'webhook', async ({ url, secret, body }) => {
      const headers = signed(deliveryId, secret, body, Date.now());
      const { status, retryAfter } = await post(new URL(url), headers, body, addresses);
      if (status >= 200 && status < 300) return;
      const problem = `The receiver answered ${status}.`;
      if (status >= 300 && status < 400)
        throw new NoticeRefused(`${problem} Redirects are not followed: name the address that it leads to.`);
      if (status >= 400 && status < 500 && !PASSING.has(status))
        throw new NoticeRefused(problem, status === GONE);
      throw new NoticeUnheard(problem, retryAfter);
    });
  };
}

/** @param now milliseconds since the epoch: of the attempt, so that a receiver can refuse what is old */
export function signed(id: string, secret: string, body: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'user-agent': 'Muster',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}

interface Answered {
  status: number;
  /** Seconds that the receiver asks for, if it does. */
  retryAfter: number | undefined;
}

/** A connection of its own for each: they are few, and what a name leads to is looked at each time. */
async function post(
  url: URL,
  headers: Record<string, string>,
  body: string,
  addresses: WebhookAddresses,
): Promise<Answered> {
  const agent = new Agent({ connect: { lookup: addresses.lookup, timeout: CONNECT_MS } });
  const signal = AbortSignal.any([Context.current().cancellationSignal, timeLimit(ANSWER_MS)]);
  try {
    addresses.check(url);
    const answer = await request(url, { method: 'POST', headers, body, dispatcher: agent, signal });
    await answer.body.dump({ limit: ANSWER_BYTES });
    return { status: answer.statusCode, retryAfter: secondsOf(answer.headers['retry-after']) };
  } catch (error) {
    Context.current().cancellationSignal.throwIfAborted();
    throw asProblem(error, url.host);
  } finally {
    await agent.destroy();
  }
}

function secondsOf(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string' || !/^\d{1,9}$/.test(header)) return undefined;
  return Math.min(Number(header), LONGEST_PAUSE_S);
}

function asProblem(error: unknown, host: string): Error {
  if (error instanceof ForbiddenAddress) return new NoticeRefused(error.message);
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return new NoticeUnheard(`${host} did not answer within ${ANSWER_MS / 1000} s.`);
  const said = error instanceof Error ? error.message : String(error);
  return new NoticeUnheard(`${host} cannot be reached (${errorCode(error) ?? said}).`);
}
