/** What was done, in words. Pure. */

const WORDS: Readonly<Record<string, string>> = {
  'codec.pass': 'asked to read histories in Temporal',
  'computation.add': 'registered a computation',
  'computation.remove': 'removed a computation',
  'consortium.answer': 'answered an invitation to a consortium',
  'consortium.archive': 'archived a consortium',
  'consortium.change': 'changed a consortium',
  'consortium.create': 'founded a consortium',
  'consortium.invite': 'invited a site to a consortium',
  'consortium.part': 'took a site out of a consortium',
  'consortium.person': "changed somebody's role in a consortium",
  'consortium.put': 'wrote a consortium',
  'invitation.accept': 'accepted an invitation',
  'invitation.create': 'invited somebody',
  'invitation.revoke': 'took an invitation back',
  'my-notices.put': 'chose what to be told of',
  'notice.put': 'set a notice up',
  'notice.remove': 'removed a notice',
  'notice.test': 'tried a notice',
  'password.change': 'changed their password',
  'person.add': 'made an account',
  'person.change': 'changed an account',
  'person.reset': 'made a link for a new password',
  'run.retry': 'retried a run',
  'run.start': 'started a run',
  'run.stop': 'stopped a run',
  'session.end': 'signed out',
  'session.start': 'signed in',
  'site.add': 'added a site',
  'site.answer-ask': 'answered a run that waited at a site',
  'site.person': 'changed who administers a site',
  'site.revoke': 'cut a site off',
  'token.create': 'made a token',
  'token.delete': 'deleted a token',
};

/** What was done; an action that this page does not know is named as the API names it. */
export const wordsOfAction = (action: string): string =>
  Object.hasOwn(WORDS, action) ? (WORDS[action] ?? action) : action;

/** By what somebody showed who they were. */
export const wordsOfVia = (via: string): string =>
  via === 'session'
    ? 'on the page'
    : via === 'token'
      ? 'by a token of their own'
      : via === 'operator'
        ? "by an operator's token"
        : '';

/** What of it changed, each by its name. */
export const wordsOfDetail = (
  detail: Readonly<Record<string, unknown>> = {},
): { name: string; value: string }[] =>
  Object.entries(detail).map(([name, value]) => ({
    name: name === 'fields' ? 'what' : name,
    value: wordsOfValue(value),
  }));

function wordsOfValue(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Array.isArray(value)
    ? value.map(wordsOfValue)
    : Object.entries(value).map(([name, part]) => `${name} ${wordsOfValue(part)}`);
  return parts.join(', ') || 'none';
}
