/** Many sites: how many are where, a mosaic of all, and rows for those that somebody should look at or asks for. */
import { useState, type ReactNode } from 'react';
import { SearchField, Input, Label, ToggleButton } from 'react-aria-components';
import { count } from '../format';
import { isCounted, type NodePicture, type Picture, type Sign as SignName } from '../picture';
import { Sign } from '../parts/sign';
import { Mosaic } from './mosaic';
import { Tracks } from './tracks';

/** Rows drawn at once: of the sites in trouble, which nobody has asked for, and of those that somebody has. */
const MOST_UNASKED = 10;
const MOST_ASKED = 50;

/** Which sites have a row: by default those in trouble. */
type Wanted =
  | { by: 'trouble' }
  | { by: 'sign'; sign: SignName; label: string }
  | { by: 'node'; node: string }
  | { by: 'text'; text: string };

interface CrowdProps {
  picture: Picture;
  actions?: ((node: NodePicture) => ReactNode) | undefined;
}

export function Crowd({ picture, actions }: CrowdProps) {
  const [wanted, setWanted] = useState<Wanted>({ by: 'trouble' });
  const shown = picture.sites.filter((site) => isWanted(site, wanted));
  return (
    <div className="crowd">
      <Flow picture={picture} />
      <div className="tools">
        <Tallies picture={picture} wanted={wanted} onChange={setWanted} />
        <SearchField
          className="search"
          value={wanted.by === 'text' ? wanted.text : ''}
          onChange={(text) => setWanted(text === '' ? { by: 'trouble' } : { by: 'text', text })}
        >
          <Label className="unseen">Find a site</Label>
          <Input placeholder="Find a site" />
        </SearchField>
      </div>
      <Mosaic
        sites={picture.sites}
        chosen={wanted.by === 'node' ? wanted.node : undefined}
        onChoose={(node) => setWanted({ by: 'node', node })}
      />
      <p className="caption">{describe(shown.length, wanted)}</p>
      <Tracks
        key={wanted.by === 'node' ? wanted.node : wanted.by}
        nodes={shown.slice(0, mostShown(wanted))}
        isOpen={wanted.by === 'node'}
        actions={actions}
      />
    </div>
  );
}

const mostShown = ({ by }: Wanted) => (by === 'trouble' ? MOST_UNASKED : MOST_ASKED);

function isWanted(site: NodePicture, wanted: Wanted): boolean {
  switch (wanted.by) {
    case 'trouble':
      return site.tone === 'bad' || site.tone === 'warn';
    case 'sign':
      return isCounted(site, wanted.sign);
    case 'node':
      return site.node === wanted.node;
    case 'text': {
      const text = wanted.text.trim().toLowerCase();
      return [site.name, site.node].some((name) => name.toLowerCase().includes(text));
    }
  }
}

function describe(amount: number, wanted: Wanted): string {
  const cut = amount > mostShown(wanted) ? `; the first ${mostShown(wanted)} are shown` : '';
  switch (wanted.by) {
    case 'trouble':
      return amount === 0 ? '' : `${count(amount, 'site needs', 'sites need')} a look${cut}`;
    case 'sign':
      return `${count(amount, 'site')}: ${wanted.label.toLowerCase()}${cut}`;
    case 'node':
      return '';
    case 'text':
      return `${count(amount, 'site matches', 'sites match')} “${wanted.text.trim()}”${cut}`;
  }
}

/** The sites' row of the picture: at each phase, how many are there. */
function Flow({ picture: { flow, sites } }: { picture: Picture }) {
  return (
    <div className="row flow" aria-hidden="true">
      <span className="who">
        <span className="name">{count(sites.length, 'site')}</span>
      </span>
      <span className="track">
        {flow.map(({ phase, count: amount }) => (
          <span
            key={phase}
            className={
              amount > 0
                ? `here tone-${phase === 'complete' ? 'good' : phase === 'waiting' ? 'idle' : 'active'}`
                : 'ahead'
            }
          >
            {phase !== 'waiting' && <span className="way" />}
            <span className="disc">{amount > 0 && amount.toLocaleString('en-US')}</span>
          </span>
        ))}
      </span>
      <span className="state" />
    </div>
  );
}

interface TalliesProps {
  picture: Picture;
  wanted: Wanted;
  onChange: (wanted: Wanted) => void;
}

function Tallies({ picture: { tallies }, wanted, onChange }: TalliesProps) {
  return (
    <div className="tallies" role="group" aria-label="Sites by state">
      {tallies.map(({ sign, tone, label, count: amount }) => (
        <ToggleButton
          key={sign}
          className={`button tally tone-${tone}`}
          isSelected={wanted.by === 'sign' && wanted.sign === sign}
          onChange={(on) => onChange(on ? { by: 'sign', sign, label } : { by: 'trouble' })}
        >
          <span className="disc">
            <Sign name={sign} />
          </span>
          <b>{amount.toLocaleString('en-US')}</b> {label}
        </ToggleButton>
      ))}
    </div>
  );
}
