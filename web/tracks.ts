/** Draws nodes as tracks: one row each, its way through the phases, and all that is known of it to unfold. */
import { bytes, count } from './format';
import type { NodePicture } from './picture';
import { percent } from './picture';
import { fill, h, keyed, part, setAttribute, type Child } from './render';
import { sign } from './signs';
import { growing, moment } from './times';

const HEADINGS = ['Waiting', 'Fetching', 'Launching', 'Running', 'Complete'];

/** The names of the phases, above the tracks. */
export function phaseHeadings(): HTMLElement {
  return h(
    'div',
    { class: 'row headings', 'aria-hidden': 'true' },
    h('span', { class: 'who' }),
    h('span', { class: 'track' }, ...HEADINGS.map((name) => h('span', {}, name))),
    h('span', { class: 'state' }),
  );
}

/** Draws a row for each of `nodes` into `list`; rows that stay keep their focus and stay unfolded. */
export function drawTracks(list: HTMLElement, nodes: readonly NodePicture[]): void {
  keyed(list, nodes, ({ node }) => node, makeRow, updateRow);
}

function makeRow(): HTMLElement {
  const summary = h(
    'summary',
    { class: 'row' },
    h('span', { class: 'who' }),
    track(),
    h('span', { class: 'state' }),
  );
  return h('li', {}, h('details', {}, summary, h('dl', { class: 'facts' })));
}

function track(): HTMLElement {
  return h('span', { class: 'track', 'aria-hidden': 'true' });
}

function updateRow(row: HTMLElement, picture: NodePicture): void {
  const { node, name, tone, view } = picture;
  setAttribute(row, 'class', `node tone-${tone}`);
  setAttribute(row, 'data-state', picture.state);
  fill(part(row, '.who'), [node, name], () => [
    h('span', { class: 'name' }, name),
    isTelling(node, name) && h('span', { class: 'id' }, node),
  ]);
  drawWay(part(row, '.track'), picture);
  fill(part(row, '.state'), [picture.spoken, picture.since], () => stateOf(picture));
  fill(part(row, '.facts'), view, () => facts(picture));
}

/** Whether the id says what the name does not. */
const isTelling = (node: string, name: string) => node !== 'central' && node !== name.toLowerCase();

function drawWay(element: Element, { stations, sign: name, progress }: NodePicture): void {
  fill(element, [stations, name, progress], () =>
    stations.map(({ phase, mark }) => {
      const way = h('span', { class: 'way' });
      if (phase === 'complete' && progress !== undefined) {
        const done = h('span', { class: 'done' });
        done.style.setProperty('--progress', String(progress));
        way.append(done);
      }
      return h(
        'span',
        { class: mark },
        phase !== 'waiting' && way,
        h('span', { class: 'disc' }, mark === 'here' && sign(name)),
      );
    }),
  );
}

function stateOf({ label, since, ended, note, progress, attention, error }: NodePicture): Child[] {
  const said = [note, progress !== undefined && percent(progress)].filter(Boolean).join(' · ');
  return [
    h('span', { class: 'label' }, h('b', {}, label), ' ', ended ? moment(since) : growing(since)),
    said !== '' && h('span', { class: 'said' }, said),
    attention && h('span', { class: 'said trouble' }, sign('retrying'), `retrying: ${attention.type}`),
    error && h('span', { class: 'said trouble' }, error.type),
  ];
}

function facts({ view, label }: NodePicture): Child[] {
  const { runtime, containerId, exitCode, outputs, error, attention, report } = view;
  const entries: [string, Child[] | undefined][] = [
    ['State', [`${label} since `, moment(view.since)]],
    ['Reported', report && [[report.phase, report.detail].filter(Boolean).join(' ')]],
    [
      runtime === 'process' ? 'Process' : 'Container',
      containerId === undefined ? undefined : [h('code', {}, containerId)],
    ],
    ['Exit code', exitCode === undefined ? undefined : [h('code', {}, String(exitCode))]],
    ['Being retried', attention && [`${attention.type} in ${attention.phase}: ${attention.message}`]],
    ['Error', error && [`${error.type} in ${error.phase}: ${error.message}`]],
    ['Results', outputs && outputs.length > 0 ? [fileList(outputs)] : undefined],
  ];
  return entries.flatMap(([name, value]) => (value ? [h('dt', {}, name), h('dd', {}, ...value)] : []));
}

/** Files by name and size, the first of them when there are many. */
export function fileList(files: readonly { name: string; size: number; sha256?: string }[]): HTMLElement {
  const MOST = 50;
  const items = files
    .slice(0, MOST)
    .map(({ name, size, sha256 }) =>
      h(
        'li',
        {},
        h('code', {}, name),
        h('span', { class: 'size' }, bytes(size)),
        sha256 !== undefined && h('code', { class: 'hash', title: `sha256 ${sha256}` }, sha256.slice(0, 12)),
      ),
    );
  const rest = files.length - MOST;
  return h('ul', { class: 'files' }, ...items, rest > 0 && h('li', {}, `and ${count(rest, 'more file')}`));
}
