/** How a site comes into a consortium and out of it. Pure: what was, what somebody does, what is then. */
import type { Membership } from '../../workflows/consortium-contract';
import { HttpProblem } from '../problem';

export type Step =
  | { type: 'invite'; name?: string | undefined }
  | { type: 'accept'; dataset: string; name?: string | undefined }
  | { type: 'decline'; reason?: string | undefined }
  /** By the site. */
  | { type: 'leave' }
  /** By the consortium. */
  | { type: 'remove' };

/** Who does it, when. */
export interface Who {
  by: string;
  at: number;
}

/** Takes part in runs, or may come to do so. */
export const isOpen = ({ state }: Pick<Membership, 'state'>): boolean =>
  state === 'invited' || state === 'accepted';

/**
 * The membership of `siteId` after the step; the very same where it changes nothing.
 * @throws HttpProblem where the step cannot be taken
 */
export function take(
  before: Membership | undefined,
  siteId: string,
  step: Step,
  { by, at }: Who,
): Membership {
  const answered = { answeredBy: by, answeredAt: at };
  if (step.type === 'invite') {
    if (before?.state === 'accepted') throw impossible(`The site ${siteId} takes part already.`);
    const name = step.name ?? before?.name ?? siteId;
    if (before?.state === 'invited') return name === before.name ? before : { ...before, name };
    return { siteId, name, state: 'invited', invitedBy: by, invitedAt: at };
  }
  if (before === undefined) throw notInvited(siteId);
  const { answeredBy: _by, answeredAt: _at, reason: _reason, ...rest } = before;
  switch (step.type) {
    case 'accept': {
      if (!isOpen(before)) throw notInvited(siteId);
      const { dataset, name = before.name } = step;
      const isSame = before.state === 'accepted' && before.dataset === dataset && before.name === name;
      return isSame ? before : { ...rest, ...answered, name, dataset, state: 'accepted' };
    }
    case 'decline': {
      if (before.state === 'declined') return before;
      if (before.state === 'accepted')
        throw impossible(`The site ${siteId} takes part already: it can leave instead.`);
      if (before.state !== 'invited') throw notInvited(siteId);
      const { reason } = step;
      return { ...rest, ...answered, state: 'declined', ...(reason !== undefined && { reason }) };
    }
    case 'leave':
      if (!isOpen(before)) return before;
      return { ...rest, ...answered, state: before.state === 'invited' ? 'declined' : 'left' };
    case 'remove':
      return isOpen(before) ? { ...rest, ...answered, state: 'removed' } : before;
  }
}

/** With the membership that is now, in its place; the newest is the last. */
export function withMembership(all: readonly Membership[], changed: Membership): Membership[] {
  const others = all.filter(({ siteId }) => siteId !== changed.siteId);
  const namesake = others.find((other) => isOpen(other) && other.name === changed.name);
  if (namesake && isOpen(changed))
    throw impossible(`The site ${namesake.siteId} is called ${changed.name} here: choose another name.`);
  const isNew = others.length === all.length;
  return isNew ? [...all, changed] : all.map((one) => (one.siteId === changed.siteId ? changed : one));
}

const impossible = (why: string) => new HttpProblem('membership-impossible', why);
const notInvited = (siteId: string) =>
  new HttpProblem(
    'unknown-membership',
    `The site ${siteId} is not invited: a lead of the consortium can invite it.`,
  );
