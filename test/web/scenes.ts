/** Runs in states that are worth looking at, as the API would tell of them. */
import type { ListNoticesResponse } from '../../client/generated/types.gen';
import type { ConsortiumView, ErrorEntry, RunDetail } from '../../workflows/api-contract';
import type { Me, SessionList, TokenView } from '../../workflows/people-contract';
import type { NodeState, NodeView, RunView } from '../../workflows/contract';
import { errorEntry, nodeView, runView } from '../support/run-pictures';

export const RUN_ID = 'penguins-1';
const ISLANDS = ['biscoe', 'dream', 'torgersen'];
const NAMES: Record<string, string> = {
  central: 'Central node',
  biscoe: 'Biscoe',
  dream: 'Dream',
  torgersen: 'Torgersen',
};

/** A moment some seconds ago. */
export const ago = (seconds: number) => Date.now() - seconds * 1_000;

const run = (more: Partial<RunView> = {}): RunView =>
  runView({
    consortium: { id: 'penguins', name: 'Penguins of the Palmer Archipelago' },
    startedAt: ago(34),
    since: ago(21),
    startedBy: 'ada',
    ...more,
  });

/** A node of a scene; one that is up has a container. */
export const node = (id: string, state: NodeState, more: Partial<NodeView> = {}): NodeView =>
  nodeView(id, {
    name: NAMES[id] ?? id,
    state,
    since: ago(12),
    ...(['running', 'complete', 'stopping'].includes(state) && {
      runtime: 'docker',
      containerId: `9f3c1e0b77aa${id.length}d2e48c61b0f5937e1a2`,
    }),
    ...more,
  });

const detail = (view: RunView, nodes: NodeView[], errors: ErrorEntry[] = []): RunDetail => ({
  run: view,
  nodes,
  errors,
  attempts: [],
  lastEventId: 0,
  links: {
    page: `http://127.0.0.1/runs/${RUN_ID}`,
    temporal: 'http://127.0.0.1:8233/namespaces/default/workflows/penguins-1',
  },
});

/** Three sites at work, each at another point. */
export const running = (): RunDetail =>
  detail(run(), [
    node('central', 'running', { report: { phase: 'round', detail: '3 of 10', progress: 0.3 } }),
    node('biscoe', 'running', { report: { phase: 'round', detail: '3 of 10', progress: 0.3 } }),
    node('dream', 'launching', { since: ago(4) }),
    node('torgersen', 'fetching', { since: ago(1) }),
  ]);

const missing = {
  node: 'dream',
  phase: 'launchEdgeNode',
  type: 'DataMissing',
  message: 'dataset "penguins": no folder /srv/data/dream',
};

/** A site whose folder is missing while everyone else waits for it. */
export const attention = (): RunDetail =>
  detail(
    run(),
    [
      node('central', 'running'),
      node('biscoe', 'running', { report: { phase: 'waiting for the other sites' } }),
      node('dream', 'launching', { attention: missing }),
      node('torgersen', 'running'),
    ],
    [
      errorEntry({
        ...missing,
        count: 4,
        firstAt: ago(12),
        lastAt: ago(2),
        retrying: true,
        advice: 'The site administrator maps the dataset to an existing folder in site.yaml.',
      }),
    ],
  );

/** A run that one site's failure ended: one refused, one fell silent. */
export const failed = (): RunDetail => {
  const exited = {
    node: 'biscoe',
    phase: 'superviseNode',
    type: 'NodeExited',
    message: 'exit code 1\nValueError: column "flipper_length_mm" is not in penguins.csv',
  };
  const refused = {
    node: 'dream',
    phase: 'fetchRunKit',
    type: 'ComputationNotAllowed',
    message: 'penguins-regression 1.0.0 is not in site.yaml',
  };
  const silent = {
    node: 'torgersen',
    phase: 'superviseNode',
    type: 'SiteSilent',
    message: 'the edge worker of torgersen did not answer for 1m',
  };
  return detail(
    run({ state: 'failed', since: ago(2), error: exited }),
    [
      node('central', 'stopped', { since: ago(3), containerId: 'aa01', exitCode: 143 }),
      node('biscoe', 'failed', { since: ago(9), error: exited, exitCode: 1, containerId: 'bb02' }),
      node('dream', 'refused', { since: ago(8), error: refused }),
      node('torgersen', 'lost', { since: ago(2), error: silent, containerId: 'cc03' }),
    ],
    [
      errorEntry({ ...exited, firstAt: ago(9), lastAt: ago(9), advice: "Read the node's last log lines." }),
      errorEntry({
        ...refused,
        firstAt: ago(8),
        lastAt: ago(8),
        advice: "The site's policy does not allow this computation: its administrator decides.",
      }),
      errorEntry({
        ...silent,
        firstAt: ago(2),
        lastAt: ago(2),
        advice: 'Check that the edge worker of the site is running and connected.',
      }),
    ],
  );
};

/** A stop that half of the nodes have confirmed. */
export const stopping = (): RunDetail =>
  detail(
    run({ state: 'stopping', since: ago(6), stop: { by: 'ada', reason: 'wrong parameters', at: ago(6) } }),
    [
      node('central', 'stopping', { since: ago(6) }),
      node('biscoe', 'stopped', { since: ago(4), containerId: 'bb02' }),
      node('dream', 'stopped', { since: ago(3), containerId: 'cc03' }),
      node('torgersen', 'stopping', { since: ago(6) }),
    ],
  );

export const complete = (): RunDetail =>
  detail(
    run({
      state: 'complete',
      since: ago(3),
      results: [
        {
          name: 'global_model.json',
          size: 18_322,
          key: 'runs/penguins-1/k/results/central/global_model.json',
          sha256: 'ab'.repeat(32),
        },
        {
          name: 'rounds.csv',
          size: 912,
          key: 'runs/penguins-1/k/results/central/rounds.csv',
          sha256: 'cd'.repeat(32),
        },
      ],
    }),
    ['central', ...ISLANDS].map((id) =>
      node(id, 'complete', { since: ago(3), exitCode: 0, outputs: [{ name: 'fit.csv', size: 2_048 }] }),
    ),
  );

/** A run that was retried, and is at work once more. */
export const retried = (): RunDetail => ({
  ...running(),
  attempts: [
    {
      ...{ launchId: 'aaaaaaaaaaa1', how: 'start', by: 'ada', state: 'failed' },
      ...{ startedAt: ago(320), endedAt: ago(100) },
      error: { node: 'dream', phase: 'launchEdgeNode', type: 'DiskFull', message: 'no space left' },
    },
    {
      ...{ launchId: 'aaaaaaaaaaa2', how: 'retry', from: 'provision', by: 'ada' },
      ...{ reason: 'the disk was full', startedAt: ago(34), state: 'running' },
    },
  ],
});

const MIX: NodeState[] = [
  'running',
  'running',
  'running',
  'running',
  'running',
  'complete',
  'launching',
  'fetching',
  'running',
  'waiting',
];

/** Many sites, in all the states that a large run passes through; a few of them in trouble. */
export const crowd = (amount: number): RunDetail => {
  const sites = Array.from({ length: amount }, (_, index): NodeView => {
    const id = `site-${String(index + 1).padStart(4, '0')}`;
    const error = { node: id, phase: 'superviseNode', type: 'NodeExited', message: 'exit code 137' };
    const lost = {
      node: id,
      phase: 'fetchRunKit',
      type: 'SiteSilent',
      message: `the edge worker of ${id} did not answer for 1m`,
    };
    if (index % 97 === 41) return node(id, 'failed', { error });
    if (index % 131 === 60) return node(id, 'lost', { error: lost });
    if (index % 83 === 20) return node(id, 'launching', { attention: { ...missing, node: id } });
    const state = MIX[(index * 7 + (index >> 3)) % MIX.length] ?? 'running';
    const progress = ((index * 37) % 90) / 100;
    return node(id, state, {
      name: `Hospital ${index + 1}`,
      ...(state === 'running' && { report: { phase: 'training', progress } }),
    });
  });
  const errors = sites.flatMap(({ error, attention: tried }) => {
    const happened = error ?? tried;
    return happened
      ? [errorEntry({ ...happened, retrying: tried !== undefined, firstAt: ago(9), lastAt: ago(5) })]
      : [];
  });
  return detail(run(), [node('central', 'running'), ...sites], errors);
};

export const consortium = (): ConsortiumView => ({
  id: 'penguins',
  name: 'Penguins of the Palmer Archipelago',
  computation: { name: 'penguins-regression', version: '1.0.0' },
  parameters: { response: 'body_mass_g', predictors: ['flipper_length_mm'], rounds: 10 },
  sites: ISLANDS.map((id) => ({ id, name: NAMES[id] ?? id, dataset: 'penguins' })),
  memberships: [],
  windows: { retry: '10m', lostAfter: '10m', stopConfirm: '1m' },
});

/** Somebody with an account, who leads a consortium and administers a site. */
export const grace = (): Me => ({
  ...{ id: 'p1', name: 'Grace', email: 'grace@example.org', admin: false },
  ...{ consortia: { penguins: 'lead' }, sites: ['biscoe'] },
  ...{ mustChangePassword: false, hasPassword: true, via: 'session' },
});

const LINUX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0';
export const sessions = (): SessionList => ({
  sessions: [
    {
      ...{ id: 's1', current: true, createdAt: ago(4_000), seenAt: ago(3), expiresAt: ago(-400_000) },
      ...{ address: '192.0.2.7', agent: LINUX },
    },
    {
      ...{ id: 's2', current: false, createdAt: ago(90_000), seenAt: ago(8_000), expiresAt: ago(-9_000) },
      ...{ address: '192.0.2.9', agent: WINDOWS },
    },
  ],
});

export const tokens = (): { tokens: TokenView[] } => ({
  tokens: [
    {
      ...{ id: 't1', name: 'nightly job', scope: 'run' },
      ...{ createdAt: ago(9_000), expiresAt: ago(-5_000_000), usedAt: ago(60) },
    },
  ],
});

/** What is answered where a test says nothing else. */
export const quiet = (): Record<string, unknown> => ({
  'GET sites': { sites: [] },
  'GET gateways': { gateways: [], at: ago(0) },
  'GET waiting': { waiting: [] },
  'GET computations': { computations: [] },
  'GET people': { people: [] },
  'GET invitations': { invitations: [] },
  'GET audit': { entries: [] },
  'GET consortia/penguins/people': { people: [] },
  'GET consortia/penguins/changes': { changes: [] },
  'GET consortia/penguins/readiness': { missing: [], sites: [] },
  'GET consortia/penguins/notices': { notices: [], noMailServer: false },
  'GET me/notices': { on: [], noMailServer: false },
});

const site = (id: string, more: object = {}) => ({
  ...{ id, name: NAMES[id] ?? id, consortia: ['penguins'], presence: 'here', seenAt: ago(4) },
  ...{ runtimes: ['docker'], version: '0.1.0', standing: { state: 'joined', at: ago(-4_000_000) } },
  ...more,
});

/** A webhook that something is wrong with, and a mail that arrived. */
export const notices = (): ListNoticesResponse => ({
  notices: [
    {
      ...{
        kind: 'webhook',
        id: 'lab-chat',
        url: 'https://example.org/hooks/muster',
        on: ['failed', 'waiting'],
      },
      ...{ createdBy: 'Grace', createdAt: ago(90_000), failingSince: ago(4_000) },
      deliveries: [
        {
          ...{ id: 'd2', event: 'failed', runId: RUN_ID, state: 'pending', attempts: 3 },
          ...{ createdAt: ago(4_000), triedAt: ago(300), problem: 'It answered with status 502.' },
        },
      ],
    },
    {
      ...{ kind: 'email', id: 'lab-example-org', to: 'lab@example.org', on: ['finished'] },
      ...{ createdBy: 'Grace', createdAt: ago(90_000) },
      deliveries: [
        {
          ...{ id: 'd1', event: 'finished', runId: RUN_ID, state: 'delivered', attempts: 1 },
          ...{ createdAt: ago(9_000), triedAt: ago(8_990) },
        },
      ],
    },
  ],
  noMailServer: false,
});

/** A consortium as its lead and the administrator of one of its sites see it. */
export const lively = (): Record<string, unknown> => ({
  'GET gateways': {
    gateways: [
      { name: 'ip-10-0-0-1.eucentral1compute.internal.example.org:7410', presence: 'here', seenAt: ago(0) },
      { name: 'centre-2:7410', presence: 'away', seenAt: ago(400_000) },
    ],
    at: ago(0),
  },
  'GET sites': {
    sites: [
      site('biscoe'),
      site('dream', { presence: 'away', seenAt: ago(4_200) }),
      site('gentoo', { consortia: [], presence: 'unknown' }),
      site('torgersen'),
    ],
  },
  'GET waiting': {
    waiting: [
      {
        ...{ kind: 'node', consortiumId: 'penguins', runId: RUN_ID, node: 'biscoe', mine: true },
        ...{ type: 'ApprovalNeeded', message: 'The site asks before it runs penguins-regression 1.0.0.' },
        ...{ advice: 'Approve or refuse it at the site.', turn: 'the site administrator' },
      },
      {
        ...{ kind: 'invitation', consortiumId: 'penguins', siteId: 'gentoo', mine: true },
        ...{ invitedBy: 'Grace', invitedAt: ago(700), turn: 'the site administrator' },
        ...{ message: 'Penguins of the Palmer Archipelago invites the site.', advice: '' },
      },
    ],
  },
  'GET computations': {
    computations: [
      {
        computation: {
          ...{ name: 'penguins-regression', version: '1.0.0', ports: 1 },
          parameters: {
            type: 'object',
            required: ['response', 'rounds', 'store'],
            properties: {
              response: { type: 'string', title: 'Response', description: 'What is predicted.' },
              predictors: { type: 'array', title: 'Predictors', items: { type: 'string' } },
              rounds: { type: 'integer', title: 'Rounds', minimum: 1, maximum: 50 },
              robust: { type: 'boolean', title: 'Robust' },
              store: {
                ...{ type: 'object', title: 'Store', required: ['key'] },
                properties: {
                  key: { type: 'string', title: 'Key', writeOnly: true },
                  pass: { type: 'string', title: 'Passphrase', writeOnly: true },
                },
              },
            },
          },
          commands: { provision: ['p'], central: ['c'], edge: ['e'] },
          ...{ provisionInput: 'users', outputs: { central: [], edge: [] } },
          resources: { cpus: 2, memory: '4Gi', pids: 512, shm: '256Mi', gpus: 0 },
          deadlines: { provision: '5m', start: '10m', run: '24h', stopGrace: '20s' },
          failure: { onSiteFailure: 'fail-run', minSites: 'all', mayReturn: false },
        },
        ...{
          image: { reference: 'ghcr.io/muster/penguins:1', labels: {} },
          addedBy: 'ada',
          addedAt: ago(900),
        },
      },
    ],
  },
  'GET consortia/penguins/people': {
    people: [
      { id: 'p1', name: 'Grace', email: 'grace@example.org', role: 'lead' },
      { id: 'p2', name: 'Emmy', email: 'emmy@example.org', role: 'viewer' },
    ],
  },
  'GET consortia/penguins/changes': {
    changes: [
      {
        ...{ id: 2, at: ago(900), by: 'Grace', action: 'consortium.change', fields: ['parameters'] },
        says: 'Changed the parameters.',
      },
    ],
  },
  'GET consortia/penguins/readiness': {
    missing: [],
    sites: [
      {
        ...{ siteId: 'dream', name: 'Dream', membership: 'accepted', presence: 'away' },
        ...{ verdict: 'not-known', says: ['Nobody hears it now.'] },
      },
    ],
  },
  'GET sites/biscoe': {
    ...{ site: site('biscoe'), memberships: [], asks: [], saidAt: ago(40), mayEnrol: true },
    policy: { says: ['It runs penguins-regression alone.'], approval: 'ask' },
  },
  'GET sites/gentoo/people': { people: [] },
  'GET me/sessions': sessions(),
  'GET me/tokens': tokens(),
  'GET sites/biscoe/people': { people: [{ id: 'p1', name: 'Grace', email: 'grace@example.org' }] },
  'GET consortia/penguins/notices': notices(),
  'GET people': {
    people: [
      {
        ...{ id: 'p2', name: 'Emmy', email: 'emmy@example.org', admin: false },
        ...{ consortia: { penguins: 'viewer' }, sites: ['dream'], createdAt: ago(90_000) },
        signsIn: ['password'],
      },
    ],
  },
  'GET invitations': {
    invitations: [
      {
        ...{ id: 'i1', email: 'lise@example.org', createdBy: 'ada', createdAt: ago(60) },
        ...{ expiresAt: ago(-500_000), admin: false, consortia: {}, sites: [], resets: false },
      },
    ],
  },
  'GET audit': {
    entries: [
      {
        ...{ id: 9, at: ago(70), action: 'run.start', by: 'Grace', via: 'session', address: '192.0.2.7' },
        ...{ consortiumId: 'penguins', runId: RUN_ID },
      },
      {
        ...{ id: 8, at: ago(90), action: 'consortium.change', by: 'Grace', via: 'session' },
        ...{ address: '192.0.2.7', consortiumId: 'penguins', detail: { fields: ['name', 'sites'] } },
      },
    ],
  },
});

/** A site at which a run waits for a person. */
export const askingSite = (approval: 'ask' | 'page', answer?: object) => ({
  ...{ site: site('biscoe'), memberships: [], saidAt: ago(40), mayEnrol: true },
  policy: { says: ['a person approves every run'], approval },
  asks: [
    {
      ...{ id: 'a'.repeat(64), runId: RUN_ID, since: ago(20), dataset: 'penguins' },
      consortium: { id: 'penguins', name: 'Penguins of the Palmer Archipelago' },
      computation: {
        ...{ name: 'penguins-regression', version: '1.0.0', command: ['python', 'edge.py'] },
        ...{
          image: `ghcr.io/muster/penguins@sha256:${'9f'.repeat(32)}`,
          signer: 'KbV_Xbv6lhpNHmk1bsPwL2Jm5u4O6TvK',
        },
      },
      gets: '2 processors, 4Gi of memory; lets out logs none; results hidden',
      ...(answer && { answer }),
    },
  ],
});

/** As many sites of a consortium, as lists and the consortium itself have them. */
export const manySites = (amount: number) => {
  const ids = Array.from({ length: amount }, (_, index) => `site-${String(index + 1).padStart(4, '0')}`);
  const names = new Map(ids.map((id, index) => [id, `Hospital ${index + 1}`]));
  return {
    list: { sites: ids.map((id) => site(id, { name: names.get(id) })) },
    consortium: {
      ...consortium(),
      sites: ids.map((id) => ({ id, name: names.get(id) ?? id, dataset: 'penguins' })),
      memberships: ids.map((siteId) => ({
        ...{ siteId, name: names.get(siteId) ?? siteId, state: 'accepted' as const, dataset: 'penguins' },
        ...{ invitedBy: 'Grace', invitedAt: ago(9_000), answeredBy: 'Ada', answeredAt: ago(8_000) },
      })),
    } satisfies ConsortiumView,
    readiness: {
      missing: [],
      sites: ids.map((siteId) => ({
        ...{ siteId, name: names.get(siteId) ?? siteId, membership: 'accepted', presence: 'here' },
        ...{ verdict: 'ready', says: [] },
      })),
    },
  };
};

/** A consortium that has invited a site, which has not answered yet. */
export const inviting = (): ConsortiumView => ({
  ...consortium(),
  description: 'How the body mass of penguins depends on the length of their flippers.',
  secrets: ['/store/key', '/store/pass'],
  memberships: [
    ...consortium().memberships,
    {
      ...{ siteId: 'gentoo', name: 'Gentoo', state: 'invited' },
      ...{ invitedBy: 'Grace', invitedAt: ago(700) },
    },
  ],
});
