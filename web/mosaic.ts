/** Draws many sites as a mosaic: a square for each, always in the same place, told apart by sign and colour. */
import type { NodePicture, Sign } from './picture';
import { button, fill, h, keyed, setAttribute } from './render';
import { sign } from './signs';

export interface Mosaic {
  element: HTMLElement;
  draw(sites: readonly NodePicture[], isChosen: (site: NodePicture) => boolean): void;
}

/** `onChoose` is called with the site whose square was pressed. */
export function createMosaic(onChoose: (node: string) => void): Mosaic {
  const element = h('div', {
    class: 'mosaic',
    role: 'group',
    'aria-label': 'All sites: move with the arrow keys',
  });
  const make = ({ node }: NodePicture) => button({ tabindex: -1 }, () => onChoose(node));
  moveByArrows(element);
  return {
    element,
    draw(sites, isChosen) {
      keyed(
        element,
        sites,
        ({ node }) => node,
        make,
        (square, site) => updateSquare(square, site, isChosen(site)),
      );
      if (!element.querySelector('[tabindex="0"]'))
        setAttribute(element.firstElementChild ?? element, 'tabindex', '0');
    },
  };
}

function updateSquare(square: HTMLElement, site: NodePicture, chosen: boolean): void {
  setAttribute(square, 'class', `square tone-${site.tone}`);
  setAttribute(square, 'aria-label', site.spoken);
  setAttribute(square, 'title', site.spoken);
  setAttribute(square, 'aria-pressed', String(chosen));
  square.style.setProperty('--progress', String(site.progress ?? 0));
  fill(square, site.sign, () => [!PLAIN.includes(site.sign) && sign(site.sign)]);
}

/** A square of the states that most sites are in is told by its own look: hollow, or filled as far as it has come. */
const PLAIN: readonly Sign[] = ['waiting', 'running'];

/** One stop for the tab key; within the mosaic the arrow keys move. */
function moveByArrows(mosaic: HTMLElement): void {
  mosaic.addEventListener('focusin', ({ target }) => {
    for (const other of mosaic.querySelectorAll('[tabindex="0"]')) setAttribute(other, 'tabindex', '-1');
    if (target instanceof Element) setAttribute(target, 'tabindex', '0');
  });
  mosaic.addEventListener('keydown', (event) => {
    const squares = [...mosaic.children].filter((child) => child instanceof HTMLElement);
    const now = squares.findIndex((square) => square === document.activeElement);
    const target = squares[destination(event.key, now, squares)];
    if (now < 0 || !target) return;
    event.preventDefault();
    target.focus();
  });
}

function destination(key: string, now: number, squares: readonly HTMLElement[]): number {
  const firstLine = squares.filter((square) => square.offsetTop === squares[0]?.offsetTop).length;
  const targets: Record<string, number> = {
    ArrowRight: now + 1,
    ArrowLeft: now - 1,
    ArrowDown: now + firstLine,
    ArrowUp: now - firstLine,
    Home: 0,
    End: squares.length - 1,
  };
  return targets[key] ?? -1;
}
