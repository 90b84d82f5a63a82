/** Takes reports of runs in: each is one transaction, with few statements whatever the number of nodes. */
import { and, eq, inArray, ne, notInArray, sql, type SQL } from 'drizzle-orm';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { ErrorReportBody, StartedReportBody, StatusReportBody } from '../workflows/api-contract';
import {
  TERMINAL_NODE_STATES,
  TERMINAL_RUN_STATES,
  type NodeError,
  type NodeReport,
  type NodeView,
  type RunView,
} from '../workflows/contract';
import { isTerminalNode, isTerminalRun } from '../workflows/run-state';
import type { Database } from './db/client';
import { attempts, errors, launches, nodes, runColumns, runs } from './db/schema';
import type { Journal, NewEvent } from './journal';
import {
  endedRun,
  errorEntry,
  errorIdentity,
  lostNodes,
  ofNode,
  project,
  type Ending,
  type Provenance,
} from './projection';
import { endOf, newWaits, waitsOf, type Occasion, type Seen } from './notices/occasions';
import { forgetKeys, forgetKeysOfEnded } from './runs/kit-keys';
import type { Launch } from './runs/launches';

type Tell = (event: NewEvent) => void;

export interface Reports {
  /** What RunWorkflow says of the run and of the nodes that changed. */
  status(runId: string, report: StatusReportBody): Promise<void>;
  /** What a node says of itself. It is left out where the node has ended, or its row does not know of the launch. */
  progress(from: Launch, report: NodeReport): Promise<void>;
  /** The central node of a launch is up. */
  started(runId: string, report: z.output<typeof StartedReportBody>): Promise<void>;
  /** Something failed at a node. */
  failed(runId: string, report: ErrorReportBody): Promise<void>;
  /** The run has ended, in `execution` if that is known, without saying so; `seen` is the row that this was concluded from. */
  ended(runId: string, seen: Provenance, ending: Ending, execution?: string): Promise<void>;
}

/** Where what is worth a notice is written down. */
export interface NoticeOutbox {
  write(tx: Database, occasions: readonly Occasion[]): Promise<void>;
  wake(): void;
}

export function createReports(journal: Journal, notices: NoticeOutbox): Reports {
  /** A change of a run that people may be told of, once it is made. */
  async function changeAndTell(
    runId: string,
    work: (tx: Database, tell: Tell) => Promise<readonly Occasion[]>,
  ): Promise<void> {
    const occasions = await journal.change(runId, async (tx, tell) => {
      const found = await work(tx, tell);
      await notices.write(tx, found);
      return found;
    });
    if (occasions.length > 0) notices.wake();
  }

  return {
    status: (runId, report) =>
      changeAndTell(runId, async (tx, tell) => {
        const [knownRun] = await tx.select(runColumns).from(runs).where(eq(runs.runId, runId));
        const about = [...report.nodes, ...(report.run.error ? [report.run.error] : [])];
        const known = await knownNodes(tx, runId, about);
        const changes = project(report, knownRun, known);
        const { from, told } = changes;
        const before = knownRun && seenAs(knownRun.view, knownRun);
        const after = seenAs(report.run, from);
        const waits = newWaits(known, told.nodes);
        const waiting = waits.size > 0 ? waitsOf(after, waits, await openNodes(tx, runId), report.at) : [];
        if (changes.run) {
          await writeRun(tx, runId, changes.run, { ...from, handedOver: true });
          if (knownRun?.launchId !== from.launchId) await endAttempts(tx, runId, report.at);
          await writeAttempt(tx, runId, changes.run, from);
        }
        for (const node of told.nodes) await writeAttemptOfSite(tx, runId, node, from);
        for (const run of (changes.run && report.passed) ?? [])
          tell({ type: 'run', at: run.since, data: run });
        if (changes.nodes.length > 0) await writeNodes(tx, runId, changes.nodes, from);
        for (const node of told.nodes) tell({ type: 'node', at: report.at, data: node });
        await logFinal(tx, tell, runId, changes.errors, report.at);
        await settle(tx, tell, runId, changes.gotOver, report.at);
        await forgetKeysOfEnded(tx, runId);
        // Last of all: who watches a run may leave when it has ended.
        if (told.run) tell({ type: 'run', at: report.at, data: report.run });
        return [...(changes.run ? endOf(before, after, report.at) : []), ...waiting];
      }),

    progress: ({ runId, launchId, node }, report) =>
      journal.change(runId, async (tx, tell) => {
        const known = (await knownNodes(tx, runId, [{ node }])).get(node);
        if (known?.launchId !== launchId || isTerminalNode(known.state)) return;
        if (isDeepStrictEqual(known.view.report, report)) return;
        const view = { ...known.view, report };
        await tx
          .update(nodes)
          .set({ view })
          .where(and(eq(nodes.runId, runId), eq(nodes.node, node)));
        // A day of words is not kept: the last one says where the node is.
        tell({ type: 'node', at: Date.now(), data: view, subject: `report ${node}` });
      }),

    started: (runId, { launchId, endpoint, sites, at }) =>
      journal.change(runId, async (tx, tell) => {
        const first = await tx
          .insert(launches)
          .values({ runId, launchId, endpoint, startedAt: at })
          .onConflictDoNothing()
          .returning({ launchId: launches.launchId });
        if (first.length > 0) tell({ type: 'EdgeClientStartRun', at, data: { launchId, sites } });
      }),

    failed: (runId, report) => journal.change(runId, (tx, tell) => logReported(tx, tell, runId, report)),

    ended: (runId, seen, ending, execution) =>
      changeAndTell(runId, async (tx, tell) => {
        const [row] = await tx.select(runColumns).from(runs).where(eq(runs.runId, runId));
        if (row === undefined || isTerminalRun(row.state) || !sameReport(row, seen)) return [];
        const run = endedRun(row.view, ending);
        const { launchId, reportedAt, reportedSeq } = row;
        const from = { launchId, execution: execution ?? row.execution, reportedAt, reportedSeq };
        await writeRun(tx, runId, run, { ...from, handedOver: row.handedOver });
        await writeAttempt(tx, runId, run, from);
        const open = await openNodes(tx, runId);
        const lost = lostNodes(open, ending.at);
        if (lost.length > 0) await writeNodes(tx, runId, lost, from);
        for (const node of lost) await writeAttemptOfSite(tx, runId, node, from);
        for (const node of lost) tell({ type: 'node', at: ending.at, data: node });
        await forgetKeys(tx, runId);
        const failures = run.error === undefined ? [] : [{ launchId, error: run.error }];
        await logFinal(tx, tell, runId, failures, ending.at);
        tell({ type: 'run', at: ending.at, data: run });
        return endOf(seenAs(row.view, row), seenAs(run, from), ending.at);
      }),
  };
}

/** A launch that has no id yet is that of its execution. */
const seenAs = (
  view: RunView,
  { launchId, execution }: Pick<Provenance, 'launchId' | 'execution'>,
): Seen => ({
  view,
  launch: launchId ?? execution,
});

const sameReport = (row: Provenance, seen: Provenance) =>
  row.execution === seen.execution &&
  row.reportedAt === seen.reportedAt &&
  row.reportedSeq === seen.reportedSeq;

async function knownNodes(tx: Database, runId: string, views: readonly Pick<NodeView, 'node'>[]) {
  const names = views.map(({ node }) => node);
  if (names.length === 0) return new Map<string, never>();
  const rows = await tx
    .select()
    .from(nodes)
    .where(and(eq(nodes.runId, runId), inArray(nodes.node, names)));
  return new Map(rows.map((row) => [row.node, row]));
}

async function openNodes(tx: Database, runId: string): Promise<NodeView[]> {
  const rows = await tx
    .select({ view: nodes.view })
    .from(nodes)
    .where(and(eq(nodes.runId, runId), notInArray(nodes.state, [...TERMINAL_NODE_STATES])));
  return rows.map(({ view }) => view);
}

async function writeRun(
  tx: Database,
  runId: string,
  view: RunView,
  from: Provenance & { handedOver: boolean },
): Promise<void> {
  const row = { view, state: view.state, ...from, updatedAt: Date.now() };
  await tx
    .insert(runs)
    .values({ runId, consortiumId: view.consortium.id, startedAt: view.startedAt, ...row })
    .onConflictDoUpdate({ target: runs.runId, set: row });
}

async function writeAttempt(
  tx: Database,
  runId: string,
  { state, since, startedAt, error, retry }: RunView,
  { launchId, execution }: Provenance,
): Promise<void> {
  if (launchId === null) return;
  const row = { state, endedAt: isTerminalRun(state) ? since : null, error: error ?? null };
  await tx
    .insert(attempts)
    .values({ runId, launchId, execution, startedAt, by: retry?.by, reason: retry?.reason, ...row })
    .onConflictDoUpdate({ target: [attempts.runId, attempts.launchId], set: row });
}

/** A site that was retried alone, once more or as it goes on. */
async function writeAttemptOfSite(
  tx: Database,
  runId: string,
  { node, state, since, error, retry }: NodeView,
  { execution }: Provenance,
): Promise<void> {
  if (!retry) return;
  const { launchId, by, reason, at } = retry;
  const row = { state, endedAt: isTerminalNode(state) ? since : null, error: error ?? null };
  await tx
    .insert(attempts)
    .values({ runId, launchId, node, execution, startedAt: at, by, reason, ...row })
    .onConflictDoUpdate({ target: [attempts.runId, attempts.launchId], set: row });
  await endAttempts(tx, runId, at, and(eq(attempts.node, node), ne(attempts.launchId, launchId)));
}

/** A launch that another one follows can no longer say how it ended: it was ended. */
async function endAttempts(tx: Database, runId: string, at: number, which?: SQL): Promise<void> {
  const ended = [...new Set([...TERMINAL_RUN_STATES, ...TERMINAL_NODE_STATES])];
  await tx
    .update(attempts)
    .set({ state: 'stopped', endedAt: at })
    .where(and(eq(attempts.runId, runId), notInArray(attempts.state, ended), which));
}

/** Nodes keep the order in which they were first written. */
async function writeNodes(
  tx: Database,
  runId: string,
  views: readonly NodeView[],
  from: Provenance,
): Promise<void> {
  await tx
    .insert(nodes)
    .values(views.map((view) => ({ runId, node: view.node, state: view.state, view, ...ofNode(from, view) })))
    .onConflictDoUpdate({
      target: [nodes.runId, nodes.node],
      set: {
        ...from,
        state: sql`excluded.state`,
        view: sql`excluded.view`,
        launchId: sql`excluded.launch_id`,
      },
    });
}

/** A failure that was reported again counts up. The same report delivered twice does not. */
async function logReported(
  tx: Database,
  tell: Tell,
  runId: string,
  { launchId, error, retrying, at }: ErrorReportBody,
): Promise<void> {
  const identity = errorIdentity(runId, launchId, error);
  const [row] = await tx
    .insert(errors)
    .values({
      ...{ runId, identity, launchId, error, node: error.node },
      ...{ count: 1, firstAt: at, lastAt: at, retrying },
    })
    .onConflictDoUpdate({
      target: [errors.runId, errors.identity],
      set: {
        count: sql`${errors.count} + 1`,
        lastAt: sql`greatest(${errors.lastAt}, excluded.last_at)`,
        retrying,
      },
      setWhere: sql`${errors.lastAt} <> excluded.last_at`,
    })
    .returning();
  if (row) tell({ type: 'error', at, data: errorEntry(row) });
}

/** Failures that a run or a node ended with. One that was reported before is the same failure, now given up. */
async function logFinal(
  tx: Database,
  tell: Tell,
  runId: string,
  failures: readonly { launchId: string | null; error: NodeError }[],
  at: number,
): Promise<void> {
  const distinct = new Map(
    failures.map((failed) => [errorIdentity(runId, failed.launchId, failed.error), failed]),
  );
  if (distinct.size === 0) return;
  const rows = await tx
    .insert(errors)
    .values(
      [...distinct].map(([identity, { launchId, error }]) => ({
        ...{ runId, identity, launchId, error, node: error.node },
        ...{ count: 1, firstAt: at, lastAt: at, retrying: false },
      })),
    )
    .onConflictDoUpdate({
      target: [errors.runId, errors.identity],
      set: { retrying: false },
      setWhere: eq(errors.retrying, true),
    })
    .returning();
  for (const row of rows) tell({ type: 'error', at, data: errorEntry(row) });
}

/** What was being tried again at these nodes is no longer. */
async function settle(
  tx: Database,
  tell: Tell,
  runId: string,
  names: readonly string[],
  at: number,
): Promise<void> {
  if (names.length === 0) return;
  const rows = await tx
    .update(errors)
    .set({ retrying: false })
    .where(and(eq(errors.runId, runId), eq(errors.retrying, true), inArray(errors.node, [...names])))
    .returning();
  for (const row of rows) tell({ type: 'error', at, data: errorEntry(row) });
}
