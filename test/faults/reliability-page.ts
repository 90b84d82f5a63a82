/** docs/reliability.md: what became of the experiments, as a page for people. Pure. */
import { FAULTS, PARTS, type FaultName, type PartName } from './experiments';
import { PHASES } from './phases';
import type { Moment, ReliabilityRecord } from './reliability-record';

const PART_TITLES: Readonly<Record<PartName, string>> = {
  'central-worker': 'central worker',
  'edge-worker': 'edge worker of one site',
  api: 'API, with its embedded database (PGlite)',
  gateway: 'site gateway',
  temporal: 'Temporal',
  minio: 'object store (MinIO)',
  docker: 'container engine of all hosts (`live-restore`)',
  postgres: 'Postgres, where the API uses one',
};
const FAULT_TITLES: Readonly<Record<FaultName, string>> = {
  kill: 'killed (SIGKILL)',
  term: 'asked to end (SIGTERM)',
  pause: 'paused for 30 s',
  down: 'down for 60 s',
};

/** The page, before it is laid out. */
export function page({ matrix, random, network, absent }: ReliabilityRecord): string {
  const notes: string[] = [];
  const cell = (part: PartName, fault: FaultName): string => {
    const outcome = matrix.find((one) => one.part === part && one.fault === fault);
    if (outcome === undefined) return absent[part] === undefined ? 'not done' : 'not here';
    const said = [
      ...outcome.failed.map(({ phase, why }) => `held in ${phase}: failed: ${why}`),
      ...outcome.wrong.map((what) => `**does not hold**: ${what}`),
    ];
    if (said.length === 0) return `complete, ${outcome.secondsToEnd} s`;
    notes.push(said.join('; ').replace(/\s+/g, ' '));
    const verdict =
      outcome.wrong.length > 0 ? '**does not hold**' : `${outcome.failed.length} failed truthfully`;
    return `${verdict} [${notes.length}]`;
  };
  const rows = PARTS.map((part) => [
    PART_TITLES[part],
    ...FAULTS.map((fault) => cell(part, fault)),
    momentsOf(matrix.filter((one) => one.part === part)),
  ]);
  return [
    '# Reliability',
    'What becomes of runs when a part is killed, asked to end, paused or kept down. Measured by `npm run test:faults`; each figure has its day and commit.',
    '## Whatever dies',
    `In each experiment ${PHASES.length} runs of two sites are held, one in each phase: ${PHASES.join(', ')} (\`joining\`: one site is not up yet; \`collecting\`: the results are on their way). ` +
      'The fault meets them all at once. They are released when the part has been killed or asked to end, or in the middle of the pause or the time that it is down; ' +
      'a part that has ended is started again after 0.2 s, or when its time is over.',
    'A cell says *complete* when every run completed, and the one that was being stopped was stopped; and how many seconds after the fault the last of them ended. In each, and where a run failed, too:',
    [
      '- exactly one container or process was ever started for each node, counted by the nodes themselves;',
      '- nothing is left of a run after one reconciliation: no process, no container, no folder of a launch, no port;',
      "- the events tell every state that the run's workflow went through, in order, and who followed them through the fault has seen each once;",
      '- the API and Temporal agree on how the run ended, and the results in the object store are those that the central node wrote.',
    ].join('\n'),
    table(['part', ...FAULTS.map((fault) => FAULT_TITLES[fault]), 'measured'], rows),
    ...notes.map((note, index) => `[${index + 1}] ${note}`),
    ...Object.entries(absent).map(([part, why]) => `${PART_TITLES[part as PartName]}: ${why}.`),
    ...(random === undefined ? [] : describeRandom(random)),
    ...(network.length === 0 ? [] : describeNetwork(network)),
  ].join('\n\n');
}

const momentsOf = (all: readonly { measured: Moment }[]) =>
  [...new Set(all.map(({ measured: { on, commit: id } }) => `${on}, ${id}`))].join('; ');

type Random = NonNullable<ReliabilityRecord['random']>;

function describeRandom(random: Random): string[] {
  const { seed, runs, seconds, kills, states, wrong } = random;
  const total = Object.values(kills).reduce((sum, count) => sum + count, 0);
  return [
    '## Random kills',
    `${runs} runs of three sites, some of which are made to fail and some of which are stopped, while a part is killed again and again, each a second after the one before is back (seed ${seed}). ` +
      `They took ${seconds} s and ${total} kills (${momentsOf([random])}).`,
    table(
      ['ended', 'runs'],
      Object.entries(states).map(([state, count]) => [state, String(count)]),
    ),
    table(
      ['killed', 'times'],
      Object.entries(kills).map(([part, count]) => [part, String(count)]),
    ),
    holds(wrong, 'Every run ended as it was meant to, with all that is said above.'),
  ];
}

function describeNetwork(network: ReliabilityRecord['network']): string[] {
  const rows = network.map((outcome) => [
    ...[outcome.what, `${outcome.seconds} s`, holds(outcome.wrong, 'complete')],
    momentsOf([outcome]),
  ]);
  return [
    '## The network between the sites and the centre',
    'Both sites reach all that they use of the centre through a network that misbehaves.',
    table(['', 'took', 'runs', 'measured'], rows),
  ];
}

const holds = (wrong: readonly string[], yes: string) =>
  wrong.length === 0 ? yes : `**does not hold**: ${wrong.join('; ').replace(/\s+/g, ' ')}`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
