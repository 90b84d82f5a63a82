/** What people read of sites, readiness, notices and of what waits. */
import { noticeTable } from '../../cli/consortium-notices';
import { describeReadiness } from '../../cli/consortium-readiness';
import { describeChange } from '../../cli/events';
import { sessionTable } from '../../cli/session';
import { describeSite } from '../../cli/site-show';
import { describeWaiting } from '../../cli/waiting';
import { runView } from '../support/run-pictures';

const at = Date.UTC(2026, 10, 23, 8, 30);

test('readiness is a line for each site, and why', () => {
  const base = { membership: 'accepted' as const, presence: 'here' as const, says: [] };
  expect(
    describeReadiness({
      missing: ['No parameters are given.'],
      sites: [
        {
          ...{ ...base, siteId: 'biscoe', name: 'Biscoe', verdict: 'ready', computation: 'allowed' },
          ...{ image: 'here', data: 'present', at },
        },
        {
          ...{ ...base, siteId: 'dream', name: 'Dream', verdict: 'not-ready', computation: 'needs-approval' },
          ...{ image: 'to-be-pulled', data: 'missing', at },
          says: ['A person there approves every run.', 'Its data\nis not there.'],
        },
        {
          ...{ ...base, siteId: 'torgersen', name: 'Torgersen', verdict: 'not-known', presence: 'unknown' },
          ...{ membership: 'invited', says: ['It has not answered the invitation yet.'] },
        },
      ],
    }),
  ).toEqual([
    'No parameters are given.',
    'SITE       READY    ONLINE     ALLOWED        IMAGE         DATA',
    'biscoe     yes      yes        yes            yes           yes',
    'dream      no       yes        asks a person  to be pulled  no',
    'torgersen  invited  not known  -              -             -',
    '',
    'dream:      A person there approves every run.',
    'dream:      Its data is not there.',
    'torgersen:  It has not answered the invitation yet.',
  ]);
  expect(describeReadiness({ missing: [], sites: [] })).toEqual(['No site takes part yet.']);
});

describe('a site', () => {
  it('is shown with what it lets in, its consortia and what waits there', () => {
    const lines = describeSite({
      mayEnrol: true,
      site: {
        ...{ id: 'biscoe', name: 'Biscoe', consortia: ['penguins'], presence: 'here', seenAt: at },
        ...{ version: '0.1.0', runtimes: ['docker'], standing: { state: 'joined', at } },
      },
      policy: {
        ...{ says: ['It allows penguins from lab.'], approval: 'ask' },
        closed: { rule: 'maintenance', says: 'Maintenance.', until: at },
      },
      saidAt: at,
      memberships: [
        {
          ...{ name: 'Biscoe', state: 'accepted', dataset: 'birds', invitedBy: 'Ada', invitedAt: at },
          consortium: { id: 'penguins', name: 'Penguins' },
          computation: { name: 'penguins', version: '1.0.0' },
        },
      ],
      asks: [
        {
          ...{ id: 'abcdef0123'.padEnd(64, '0'), runId: 'penguins-1', since: at, dataset: 'birds' },
          computation: { name: 'penguins', version: '1.0.0', command: ['edge'] },
          gets: '2 processors',
        },
      ],
    });
    expect(lines).toEqual([
      'biscoe  Biscoe',
      '  edge worker      there, last heard of 2026-11-23T08:30:00.000Z',
      '  certificate      joined until 2026-11-23',
      '  version          0.1.0',
      '  runs nodes with  docker',
      '',
      'What it lets in, as it said 2026-11-23T08:30:00.000Z',
      '  Nothing new starts there now: Maintenance. Until 2026-11-23T08:30:00.000Z.',
      '  It allows penguins from lab.',
      '',
      'CONSORTIUM  STATE     DATASET  COMPUTATION     SINCE       NAME',
      'penguins    accepted  birds    penguins@1.0.0  2026-11-23  Penguins',
      '',
      'RUN THAT WAITS  REQUEST   COMPUTATION     DATASET  SINCE                     ANSWER  WOULD GET',
      'penguins-1      abcdef01  penguins@1.0.0  birds    2026-11-23T08:30:00.000Z  -       2 processors',
    ]);
  });

  it('that has said nothing is shown as far as it is known', () => {
    const site = { id: 'biscoe', consortia: [], presence: 'unknown' as const };
    expect(describeSite({ site, memberships: [], asks: [], mayEnrol: false })).toEqual([
      'biscoe',
      '  edge worker  not known, never heard of',
      '',
      'What it lets in: it has not said it',
      '',
      'It is in no consortium that you see.',
    ]);
  });
});

test('of a receiver of notices one sees what came of the last one, and what is amiss', () => {
  const base = { createdBy: 'Ada', createdAt: at };
  const delivery = { id: 'd1', attempts: 2, createdAt: at, triedAt: at };
  expect(
    noticeTable([
      {
        ...{ ...base, id: 'chat', kind: 'webhook', url: 'https://example.org/hook', on: ['failed'] },
        deliveries: [{ ...delivery, event: 'failed', state: 'pending', problem: 'It answered 500.' }],
        failingSince: at,
      },
      {
        ...base,
        id: 'lab',
        kind: 'email',
        to: 'lab@example.org',
        on: ['finished', 'failed'],
        deliveries: [],
      },
    ]),
  ).toEqual([
    'NAME  KIND     STATE                                 OF               LAST                                     TO',
    'chat  webhook  fails since 2026-11-23T08:30:00.000Z  failed           failed pending 2026-11-23T08:30:00.000Z  https://example.org/hook',
    'lab   email    on                                    finished,failed  nothing yet                              lab@example.org',
    '',
    'chat:  It answered 500.',
  ]);
  expect(noticeTable([])).toEqual(['Nobody is told.']);
});

test('of what waits one sees whose turn it is, and what to do', () => {
  const consortiumId = 'penguins';
  expect(
    describeWaiting([
      {
        ...{
          kind: 'invitation',
          consortiumId,
          siteId: 'biscoe',
          invitedBy: 'Ada',
          invitedAt: at,
          mine: true,
        },
        ...{ message: 'Penguins has invited the site biscoe.', advice: 'Accept, or decline.' },
        turn: "the site's administrator",
      },
      {
        ...{
          kind: 'node',
          consortiumId,
          runId: 'penguins-1',
          node: 'dream',
          type: 'DataMissing',
          mine: false,
        },
        ...{ message: 'no folder', advice: 'Put it there.', turn: 'the site' },
      },
    ]),
  ).toEqual([
    '* invitation of biscoe to penguins: Penguins has invited the site biscoe.',
    "    the site's administrator: Accept, or decline.",
    '',
    '  penguins-1, dream, DataMissing: no folder',
    '    the site: Put it there.',
  ]);
  expect(describeWaiting([])).toEqual(['Nothing waits.']);
});

test.each([
  [{ type: 'run' as const, run: { ...runView({ state: 'failed' }), sites: 2 } }, /^run \S+ is failed since /],
  [{ type: 'site' as const, siteId: 'biscoe', presence: 'away' as const }, /^site biscoe is away$/],
  [{ type: 'site' as const, siteId: 'biscoe' }, /^site biscoe has changed$/],
  [{ type: 'consortium' as const, consortiumId: 'penguins' }, /^consortium penguins has changed$/],
  [{ type: 'waiting' as const }, /muster waiting/],
  [{ type: 'look-again' as const }, /changes are told/],
])('a change is told: %j', (change, line) => {
  expect(describeChange(change)).toMatch(line);
});

test('sessions are listed with where they are', () => {
  const session = { id: 's1', current: false, createdAt: at, seenAt: at, expiresAt: at };
  expect(sessionTable([{ ...session, address: '192.0.2.1', agent: 'Fire\u001bfox' }])).toEqual([
    'ID  SINCE                     LAST USED                 UNTIL       FROM       BROWSER',
    's1  2026-11-23T08:30:00.000Z  2026-11-23T08:30:00.000Z  2026-11-23  192.0.2.1  Fire fox',
  ]);
  expect(sessionTable([])).toEqual(['You are signed in nowhere.']);
});
