/** A run on one screen: what it is, which attempts were made and who asked for them, and how its nodes are. Pure. */
import type { Attempt, RunDetail, RunSummary } from '../workflows/api-contract';
import type { NodeError, NodeView } from '../workflows/contract';
import { plain, reportWords } from './progress';
import { table } from './table';

/** The run as a person reads it. */
export function describeRun({ run, nodes, attempts, links }: RunDetail): string[] {
  const { runId, state, since, consortium, computation, startedAt, startedBy, stop, error, without } = run;
  const facts: (readonly [string, string] | undefined)[] = [
    ['consortium', `${plain(consortium.name)} (${consortium.id})`],
    ['computation', `${computation.name} ${computation.version}`],
    ['started', `${time(startedAt)} by ${plain(startedBy)}`],
    stop && ['stop', `${time(stop.at)} asked for by ${plain(stop.by)}${because(stop.reason)}`],
    error && ['error', inWords(error)],
    ...(without ?? []).map((site) => ['without', `${site.node}, ${site.state}: ${plain(site.why)}`] as const),
    ['page', links.page],
    links.temporal === undefined ? undefined : ['temporal', links.temporal],
  ];
  return [
    `${runId}  ${state} since ${time(since)}`,
    ...indented(facts.filter((fact) => fact !== undefined)),
    '',
    ...table([['ATTEMPT', 'OF', 'STATE', 'STARTED', 'ENDED', 'ASKED FOR BY'], ...attempts.map(attemptRow)]),
    '',
    ...table([['NODE', 'STATE', 'SINCE', 'RUNS AS', 'SAYS'], ...nodes.map(nodeRow)]),
  ];
}

const time = (at: number) => new Date(at).toISOString();
const because = (reason: string | undefined) => (reason === undefined ? '' : `: ${plain(reason)}`);
const inWords = ({ node, type, message }: NodeError) => `${node}: ${type}: ${plain(message)}`;
const indented = (rows: readonly (readonly string[])[]) => table(rows).map((line) => `  ${line}`);

function originOf(how: Attempt['how'], from: Attempt['from'] = 'provision'): string {
  if (how === 'start') return '';
  return how === 'retry' ? ` (retry from ${from})` : ' (reset or started)';
}

function attemptRow({ launchId, node = 'run', how, from, by, reason, error, ...when }: Attempt): string[] {
  const { startedAt, state, endedAt } = when;
  const failed = error === undefined ? '' : ` -> ${inWords(error)}`;
  return [
    ...[launchId, node, state, time(startedAt), endedAt === undefined ? '-' : time(endedAt)],
    `${plain(by)}${originOf(how, from)}${because(reason)}${failed}`,
  ];
}

function nodeRow({ node, state, since, runtime, containerId, report, attention, error }: NodeView): string[] {
  const place = containerId === undefined ? '-' : `${runtime ?? ''} ${containerId.slice(0, 12)}`.trim();
  const trouble = error ?? attention;
  const words = trouble ? `${trouble.type}: ${plain(trouble.message)}` : report ? reportWords(report) : '';
  return [node, state, time(since), place, words];
}

/** A line for each run, below a line of headings. */
export function runTable(runs: readonly RunSummary[]): string[] {
  if (runs.length === 0) return ['No runs.'];
  return table([
    ['RUN', 'STATE', 'SINCE', 'CONSORTIUM', 'COMPUTATION', 'SITES', 'STARTED', 'BY'],
    ...runs.map(({ runId, state, since, consortium, computation, sites, startedAt, startedBy }) => [
      ...[runId, state, time(since), consortium.id, `${computation.name} ${computation.version}`],
      ...[String(sites), time(startedAt), plain(startedBy)],
    ]),
  ]);
}
