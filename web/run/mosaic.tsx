/** Many sites as a mosaic: a square for each, always in the same place, told apart by sign and colour. */
import { memo, useState, type KeyboardEvent } from 'react';
import type { NodePicture, Sign as SignName } from '../picture';
import { progressStyle } from '../parts/progress';
import { Sign } from '../parts/sign';

interface MosaicProps {
  sites: readonly NodePicture[];
  chosen: string | undefined;
  /** Called with the site whose square was pressed. */
  onChoose: (node: string) => void;
}

/** One stop for the tab key; within the mosaic the arrow keys move. */
export function Mosaic({ sites, chosen, onChoose }: MosaicProps) {
  const [focused, setFocused] = useState<string>();
  const stop = sites.some(({ node }) => node === focused) ? focused : sites[0]?.node;
  return (
    <div
      className="mosaic"
      role="group"
      aria-label="All sites: move with the arrow keys"
      onKeyDown={move}
      onFocus={({ target }) => setFocused(target.dataset['key'])}
      onClick={({ target }) => {
        const key =
          target instanceof Element ? target.closest<HTMLElement>('.square')?.dataset['key'] : undefined;
        if (key !== undefined) onChoose(key);
      }}
    >
      {sites.map((site) => (
        <Square key={site.node} site={site} isChosen={site.node === chosen} isStop={site.node === stop} />
      ))}
    </div>
  );
}

/** A square of the states that most sites are in is told by its own look: hollow, or filled as far as it has come. */
const PLAIN: readonly SignName[] = ['waiting', 'running'];

const Square = memo(
  ({ site, isChosen, isStop }: { site: NodePicture; isChosen: boolean; isStop: boolean }) => (
    <button
      type="button"
      data-key={site.node}
      className={`square tone-${site.tone}`}
      tabIndex={isStop ? 0 : -1}
      aria-label={site.spoken}
      title={site.spoken}
      aria-pressed={isChosen}
      style={progressStyle(site.progress ?? 0)}
    >
      {!PLAIN.includes(site.sign) && <Sign name={site.sign} />}
    </button>
  ),
  (before, after) =>
    before.site.view === after.site.view &&
    before.isChosen === after.isChosen &&
    before.isStop === after.isStop,
);

function move(event: KeyboardEvent<HTMLElement>): void {
  const squares = [...event.currentTarget.children].filter((child) => child instanceof HTMLElement);
  const now = squares.findIndex((square) => square === document.activeElement);
  const target = squares[destination(event.key, now, squares)];
  if (now < 0 || !target) return;
  event.preventDefault();
  target.focus();
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
