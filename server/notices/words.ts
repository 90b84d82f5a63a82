/** A notice in words: as a webhook's JSON, and as a mail that a person reads. */
import type { NoticeDelivery, WebhookMessage } from '../../workflows/notice-contract';
import { FAILURES, isFailureType, turnOf } from '../../workflows/errors';
import type { Occasion } from './occasions';

/** What a delivery tells of. */
export interface Told {
  event: NoticeDelivery['event'];
  consortiumId: string;
  /** Absent for a test. */
  occasion: Occasion | null;
  createdAt: number;
  /** Whether the receiver asked for it themself. */
  isOwn: boolean;
  /** Where to look. */
  link: string;
}

/** The body of the request: the same for every attempt, so that a receiver sees that it is the same. */
export function webhookBody({ event, consortiumId, occasion, createdAt, link }: Omit<Told, 'isOwn'>): string {
  const message: WebhookMessage = {
    type: event === 'test' ? 'test' : `run.${event}`,
    timestamp: new Date(occasion?.at ?? createdAt).toISOString(),
    data: { consortium: consortiumId, ...(occasion && whatOf(occasion)), link },
  };
  return JSON.stringify(message);
}

function whatOf({ runId, state, cause, node }: Occasion) {
  const why = cause !== undefined && { cause, turn: turnOf(cause) };
  return { runId, state, ...why, ...(node !== undefined && { node }) };
}

/** A mail in plain text. */
export function mailOf(told: Told): { subject: string; text: string } {
  const { occasion, consortiumId, isOwn, link } = told;
  if (occasion === null)
    return {
      subject: `Muster: a test for ${consortiumId}`,
      text: paragraphs(
        `This mail was asked for to see whether notices about runs of the consortium ${consortiumId} arrive here. They do.`,
        `The consortium: ${link}`,
      ),
    };
  const { runId, cause, node } = occasion;
  const name = oneLine(occasion.consortium.name);
  return {
    subject: `${name}: run ${runId} ${SAID[sayingOf(occasion)]}`,
    text: paragraphs(
      `The run ${runId} of ${name} ${SAID[sayingOf(occasion)]}.`,
      cause === undefined ? undefined : why(cause, node),
      `See the run, with every node and what it said: ${link}`,
      isOwn
        ? 'You get this mail because you asked for it in your account, where you can also change that.'
        : `You get this mail because this address is among the notices of the consortium ${consortiumId}. Its leads can change that.`,
    ),
  };
}

const SAID = {
  complete: 'is complete',
  stopped: 'was stopped',
  failed: 'has failed',
  waiting: 'waits for someone',
} as const;

function sayingOf({ event, state }: Occasion): keyof typeof SAID {
  if (event === 'waiting' || event === 'failed') return event;
  return state === 'stopped' ? 'stopped' : 'complete';
}

function why(cause: string, node: string | undefined): string {
  const known = FAILURES[isFailureType(cause) ? cause : 'Internal'];
  const where = node === undefined ? '' : ` at ${node}`;
  return `Why (${cause}${where}): ${known.cause}\nIt is the turn of ${turnOf(cause)}. ${known.advice}`;
}

const paragraphs = (...texts: (string | undefined)[]) =>
  `${texts.filter((text) => text !== undefined).join('\n\n')}\n`;

/** A name cannot add lines to a header. */
const oneLine = (text: string) => text.replace(/\s+/g, ' ');
