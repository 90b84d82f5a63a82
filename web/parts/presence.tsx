/** Whether a site's edge worker is there, in a word and a dot. */
import type { SiteView } from '../api/lists';
import { Growing } from './times';

const WORDS: Record<SiteView['presence'], { word: string; tone: string }> = {
  here: { word: 'here', tone: 'good' },
  away: { word: 'away', tone: 'bad' },
  unknown: { word: 'not heard of', tone: 'idle' },
};

export function Presence({ site }: { site: Pick<SiteView, 'presence' | 'seenAt'> | undefined }) {
  const { word, tone } = WORDS[site?.presence ?? 'unknown'];
  return (
    <span className={`presence tone-${tone}`}>
      <span className="dot" />
      {word}
      {site?.presence === 'away' && site.seenAt !== undefined && (
        <>
          {' '}
          for <Growing at={site.seenAt} />
        </>
      )}
    </span>
  );
}
