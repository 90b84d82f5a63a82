/** The sign of each state: its shape tells it apart where its colour does not. */
import type { Sign as SignName } from '../picture';

const QUESTION = 'M5.7 6.1a2.4 2.4 0 1 1 3.6 2.1c-.9.5-1.3 1-1.3 1.8M8 12.7v.1';

/** Paths in a field of 16 by 16; those in `SOLID` are filled, the others drawn. */
const PATHS: Record<SignName, string> = {
  waiting: 'M3.6 8v.1M8 8v.1M12.4 8v.1',
  fetching: 'M8 2.6v7M5 6.8l3 3 3-3M3.4 13.2h9.2',
  provisioning: 'M3 5.4 8 2.7l5 2.7v5.3l-5 2.7-5-2.7zM3 5.4 8 8l5-2.6M8 8v5.4',
  publishing: 'M8 13.4V6.6M5 9.4l3-3 3 3M3.4 2.8h9.2',
  launching: 'M8 2.4v5M5 4.4a4.8 4.8 0 1 0 6 0',
  running: 'M5.4 3.4v9.2l7.4-4.6z',
  complete: 'M3.4 8.6l3 3 6.2-7',
  failed: 'M4.2 4.2l7.6 7.6M11.8 4.2l-7.6 7.6',
  refused: 'M3.6 8h8.8',
  stopping: 'M4.4 4.4h7.2v7.2H4.4z',
  stopped: 'M4.2 4.2h7.6v7.6H4.2z',
  lost: QUESTION,
  retrying: 'M8 3v6M8 12.6v.1',
};
const SOLID: readonly SignName[] = ['running', 'stopped'];

/** The sign as an image that says nothing by itself: its name stands beside it. */
export function Sign({ name }: { name: SignName }) {
  return (
    <svg viewBox="0 0 16 16" className={SOLID.includes(name) ? 'sign solid' : 'sign'} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
