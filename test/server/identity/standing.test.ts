import { standingOf, type Traces } from '../../../server/identity/standing';

const NOW = 1_000;
const added: Traces = { hasCode: true, codeEnds: 2_000, codeUsed: null, certificateEnds: null };

it.each<[string, Partial<Traces>, string, number]>([
  ['has a code', {}, 'invited', 2_000],
  ['has let its code run out', { codeEnds: 1_000 }, 'expired', 1_000],
  ['has joined', { codeUsed: 900, certificateEnds: 3_000 }, 'joined', 3_000],
  ['has joined, and has another code', { certificateEnds: 3_000 }, 'joined', 3_000],
  ['has let its certificate run out', { codeUsed: 100, certificateEnds: 900 }, 'expired', 900],
  ['may join again after that', { certificateEnds: 900 }, 'invited', 2_000],
  ['was revoked', { hasCode: false, codeEnds: 500, codeUsed: 100 }, 'revoked', 500],
  ['was revoked before it joined', { hasCode: false, codeEnds: 500 }, 'revoked', 500],
  [
    'was revoked after its certificate had run out',
    { hasCode: false, codeEnds: 500, certificateEnds: 300 },
    'revoked',
    500,
  ],
])('a site that %s stands so', (_what, more, state, at) => {
  expect(standingOf({ ...added, ...more }, NOW)).toEqual({ state, at });
});
