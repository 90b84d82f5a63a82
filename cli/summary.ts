/** How a tried run ended, as `--json` prints it. Pure. */
import { join } from 'node:path';
import { CENTRAL_NODE, TERMINAL_RUN_STATES, type RunState } from '../workflows/contract';
import { formatElapsed, plain, type Progress } from './progress';

/** Folders below which the workers put each run's results. */
export interface ResultFolders {
  central: string;
  sites: Readonly<Record<string, string>>;
}

export interface TrySummary {
  runId: string;
  launchId: string | null;
  status: RunState;
  /** From the start of the run; null for what it did not reach. */
  seconds: { toCentralUp: number | null; toLastSiteUp: number | null; total: number | null };
  outputs: { central: string; sites: Record<string, string> };
  errors: { node: string; type: string; message: string }[];
}

/** The summary of the run as it stands in `progress`; `undefined` before anything is known of it. */
export function summarize(
  { run, nodes, errors, upAt }: Progress,
  results: ResultFolders,
): TrySummary | undefined {
  if (run === undefined) return undefined;
  const after = (at: number | undefined) => (at === undefined ? null : Math.round(at - run.startedAt) / 1000);
  const sitesUp = Object.keys(results.sites).map((site) => upAt[site]);
  const lastSiteUp = sitesUp.every((at) => at !== undefined) ? Math.max(...sitesUp) : undefined;
  const folder = (root: string) => (run.launchId === undefined ? root : join(root, run.runId, run.launchId));
  return {
    runId: run.runId,
    launchId: run.launchId ?? null,
    status: run.state,
    seconds: {
      toCentralUp: after(upAt[CENTRAL_NODE]),
      toLastSiteUp: after(lastSiteUp),
      total: after(TERMINAL_RUN_STATES.includes(run.state) ? run.since : undefined),
    },
    outputs: {
      central: folder(results.central),
      sites: Object.fromEntries(Object.entries(results.sites).map(([site, root]) => [site, folder(root)])),
    },
    errors: distinct([
      ...errors.filter(({ retrying }) => !retrying || run.state === 'failed'),
      ...nodes.flatMap(({ error }) => error ?? []),
      ...(run.error === undefined ? [] : [run.error]),
    ]),
  };
}

function distinct(errors: readonly { node: string; type: string; message: string }[]): TrySummary['errors'] {
  const byContent = new Map(
    errors.map(({ node, type, message }) => [JSON.stringify([node, type, message]), { node, type, message }]),
  );
  return [...byContent.values()];
}

/** The summary for a person to read. */
export function summaryLines({ runId, status, seconds, outputs, errors }: TrySummary): string[] {
  const isOver = TERMINAL_RUN_STATES.includes(status);
  const times = [
    [status === 'complete' ? 'in' : 'after', seconds.total],
    ['central node up after', seconds.toCentralUp],
    ['last site up after', seconds.toLastSiteUp],
  ] as const;
  const known = times.flatMap(([what, time]) =>
    time === null ? [] : `${what} ${formatElapsed(time * 1000)}`,
  );
  const folders = Object.entries({ [CENTRAL_NODE]: outputs.central, ...outputs.sites });
  const width = Math.max(...folders.map(([node]) => node.length));
  return [
    `Run ${runId} ${isOver ? '' : 'was left while '}${status} ${known.join(', ')}`.trim(),
    ...errors.flatMap(({ node, type, message }) => {
      const [first = '', ...more] = message.split('\n').map(plain);
      return [`  ${node}: ${type}: ${first}`, ...more.map((line) => `    ${line}`)];
    }),
    'Results',
    ...folders.map(([node, folder]) => `  ${node.padEnd(width)}  ${folder}`),
  ];
}
