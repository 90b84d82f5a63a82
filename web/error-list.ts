/** Draws the run's errors by name: where, what, in whose hands, and whether it is being tried again. */
import { count } from './format';
import type { ErrorGroup } from './picture';
import { fill, h, keyed, part, setAttribute, type Child } from './render';
import { sign } from './signs';
import { growing, moment } from './times';

type Member = ErrorGroup['members'][number];

const TONES = { retrying: 'warn', final: 'bad', past: 'idle' } as const;
const SIGNS = { retrying: 'retrying', final: 'failed', past: 'complete' } as const;
const TAGS = { retrying: 'being retried', final: 'final', past: 'overcome' } as const;
/** Nodes that are listed before the rest is to be unfolded. */
const MOST_LISTED = 5;

/** Draws `groups` into `section`, which is hidden while there are none. */
export function drawErrors(section: HTMLElement, groups: readonly ErrorGroup[]): void {
  section.hidden = groups.length === 0;
  fill(section, 'errors', () => [h('h2', {}, 'Errors'), h('ul', { class: 'errors' })]);
  keyed(part(section, '.errors'), groups, ({ key }) => key, makeGroup, drawGroup);
}

function makeGroup({ standing, phase, type, earlierLaunch, advice }: ErrorGroup): HTMLElement {
  const title = h(
    'p',
    { class: 'title' },
    h('b', { class: 'names' }),
    h('span', { class: 'type' }, type),
    h('span', { class: 'phase' }, `in ${phase}`),
    h('span', { class: 'tag' }, earlierLaunch ? 'earlier launch' : TAGS[standing]),
  );
  const rest = h('details', { class: 'rest' }, h('summary'), h('ul', { class: 'members' }));
  const todo = standing !== 'past' && advice !== '' && h('p', { class: 'advice' }, advice);
  return h(
    'li',
    { class: `error tone-${TONES[standing]}`, 'data-standing': standing },
    h('span', { class: 'disc' }, sign(SIGNS[standing])),
    h('div', {}, title, h('ul', { class: 'members first' }), rest, todo),
  );
}

function drawGroup(item: HTMLElement, { members, standing }: ErrorGroup): void {
  const [first] = members;
  const title = members.length > 1 ? count(members.length, 'node') : first?.name;
  fill(part(item, '.names'), title, () => [title]);
  const draw = (selector: string, some: readonly Member[]) =>
    keyed(
      part(item, selector),
      some,
      ({ key }) => key,
      () => h('li', {}, h('p', { class: 'text' }), h('p', { class: 'hint' })),
      (row, member) => drawMember(row, member, members.length > 1, standing),
    );
  draw('.first', members.slice(0, MOST_LISTED));
  draw('.rest .members', members.slice(MOST_LISTED));
  const hidden = members.length - MOST_LISTED;
  fill(part(item, 'summary'), hidden, () => [`and ${count(hidden, 'more node')}`]);
  setAttribute(part(item, '.rest'), 'hidden', hidden > 0 ? undefined : '');
}

function drawMember(
  row: HTMLElement,
  { name, entry }: Member,
  isOneOfMany: boolean,
  standing: ErrorGroup['standing'],
): void {
  fill(part(row, '.text'), [name, entry.message, isOneOfMany], () => [
    isOneOfMany && h('b', {}, `${name}  `),
    entry.message,
  ]);
  fill(part(row, '.hint'), [entry, standing], () => seen(entry, standing));
}

function seen({ count: times, firstAt, lastAt }: Member['entry'], standing: ErrorGroup['standing']): Child[] {
  if (times === 1) return [moment(firstAt)];
  const last = standing === 'retrying' ? [growing(lastAt), ' ago'] : [moment(lastAt)];
  return [`Seen ${count(times, 'time')}, first `, moment(firstAt), ', last ', ...last];
}
