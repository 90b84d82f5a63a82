/** Draws many sites: how many are where, a mosaic of all, and rows for those that somebody should look at or asks for. */
import { count } from './format';
import { createMosaic } from './mosaic';
import { isCounted, type NodePicture, type Picture, type Sign } from './picture';
import { button, fill, h, keyed, setAttribute } from './render';
import { sign } from './signs';
import { drawTracks } from './tracks';

/** Rows drawn at once: of the sites in trouble, which nobody has asked for, and of those that somebody has. */
const MOST_UNASKED = 10;
const MOST_ASKED = 50;

/** Which sites have a row: by default those in trouble. */
type Choice =
  | { by: 'trouble' }
  | { by: 'sign'; sign: Sign; label: string }
  | { by: 'node'; node: string }
  | { by: 'text'; text: string };

export interface Crowd {
  element: HTMLElement;
  draw(picture: Picture): void;
}

export function createCrowd(): Crowd {
  let choice: Choice = { by: 'trouble' };
  let shown: Picture | undefined;
  const flow = h('div', { class: 'row flow', 'aria-hidden': 'true' });
  const tallies = h('div', { class: 'tallies', role: 'group', 'aria-label': 'Sites by state' });
  const search = h('input', { type: 'search', placeholder: 'Find a site', 'aria-label': 'Find a site' });
  const caption = h('p', { class: 'caption' });
  const rows = h('ul', { class: 'tracks' });
  const mosaic = createMosaic((node) => {
    choose({ by: 'node', node });
    rows.querySelector('details')?.toggleAttribute('open', true);
  });

  function choose(next: Choice): void {
    choice = next;
    if (next.by !== 'text') search.value = '';
    if (shown) draw(shown);
  }

  function draw(picture: Picture): void {
    shown = picture;
    drawFlow(flow, picture);
    drawTallies(tallies, picture, choice, choose);
    mosaic.draw(picture.sites, ({ node }) => choice.by === 'node' && choice.node === node);
    const chosen = picture.sites.filter((site) => isChosen(site, choice));
    fill(caption, [chosen.length, choice], () => [describe(chosen.length, choice)]);
    drawTracks(rows, chosen.slice(0, mostShown(choice)));
  }

  search.addEventListener('input', () => {
    const text = search.value.trim().toLowerCase();
    choose(text === '' ? { by: 'trouble' } : { by: 'text', text });
  });
  const tools = h('div', { class: 'tools' }, tallies, search);
  return { element: h('div', { class: 'crowd' }, flow, tools, mosaic.element, caption, rows), draw };
}

const mostShown = ({ by }: Choice) => (by === 'trouble' ? MOST_UNASKED : MOST_ASKED);

function isChosen(site: NodePicture, choice: Choice): boolean {
  switch (choice.by) {
    case 'trouble':
      return site.tone === 'bad' || site.tone === 'warn';
    case 'sign':
      return isCounted(site, choice.sign);
    case 'node':
      return site.node === choice.node;
    case 'text':
      return [site.name, site.node].some((name) => name.toLowerCase().includes(choice.text));
  }
}

function describe(amount: number, choice: Choice): string {
  const cut = amount > mostShown(choice) ? `; the first ${mostShown(choice)} are shown` : '';
  switch (choice.by) {
    case 'trouble':
      return amount === 0 ? '' : `${count(amount, 'site needs', 'sites need')} a look${cut}`;
    case 'sign':
      return `${count(amount, 'site')}: ${choice.label.toLowerCase()}${cut}`;
    case 'node':
      return '';
    case 'text':
      return `${count(amount, 'site matches', 'sites match')} “${choice.text}”${cut}`;
  }
}

/** The sites' row of the picture: at each phase, how many are there. */
function drawFlow(element: HTMLElement, { flow, sites }: Picture): void {
  fill(element, flow, () => [
    h('span', { class: 'who' }, h('span', { class: 'name' }, count(sites.length, 'site'))),
    h(
      'span',
      { class: 'track' },
      ...flow.map(({ phase, count: amount }) =>
        h(
          'span',
          {
            class:
              amount > 0
                ? `here tone-${phase === 'complete' ? 'good' : phase === 'waiting' ? 'idle' : 'active'}`
                : 'ahead',
          },
          phase !== 'waiting' && h('span', { class: 'way' }),
          h('span', { class: 'disc' }, amount > 0 && amount.toLocaleString('en-US')),
        ),
      ),
    ),
    h('span', { class: 'state' }),
  ]);
}

function drawTallies(
  element: HTMLElement,
  { tallies }: Picture,
  choice: Choice,
  choose: (choice: Choice) => void,
): void {
  const isOn = (name: Sign) => choice.by === 'sign' && choice.sign === name;
  keyed(
    element,
    tallies,
    ({ sign: name }) => name,
    ({ sign: name, label }) => {
      const press = () =>
        choose(
          tally.getAttribute('aria-pressed') === 'true'
            ? { by: 'trouble' }
            : { by: 'sign', sign: name, label },
        );
      const tally = button({}, press);
      return tally;
    },
    (tally, { sign: name, tone, label, count: amount }) => {
      setAttribute(tally, 'class', `tally tone-${tone}`);
      setAttribute(tally, 'aria-pressed', String(isOn(name)));
      fill(tally, amount, () => [
        h('span', { class: 'disc' }, sign(name)),
        h('b', {}, amount.toLocaleString('en-US')),
        label,
      ]);
    },
  );
}
