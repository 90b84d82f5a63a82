/**
 * Retries. From provisioning on, a run is reset in Temporal, whatever has become of it. What keeps some of its parts, the
 * run itself is asked for: it has to be under way.
 */
import { eq } from 'drizzle-orm';
import type { RetryFrom, RetryRunBody } from '../../workflows/api-contract';
import { CENTRAL_NODE, type Computation } from '../../workflows/contract';
import { canRetry, central, isTerminalNode, isTerminalRun, type RunModel } from '../../workflows/run-state';
import type { Database } from '../db/client';
import { nodes, retries, runs } from '../db/schema';
import type { Journal } from '../journal';
import { HttpProblem } from '../problem';
import { findRun } from './find-run';
import type { Runs } from './temporal';
import type { Truth } from './truth';

/** What is to begin anew, and who wants it. */
export interface Wish {
  from: RetryFrom;
  /** With `sites`: this one alone. */
  site?: string | undefined;
  by: string;
  reason?: string | undefined;
  /** The same request once more changes nothing. */
  request: string;
}

export interface Retries {
  /** @throws HttpProblem where the run cannot be retried so */
  ask(runId: string, wish: Wish): Promise<void>;
}

/** @throws HttpProblem `invalid-request` where the parts of the wish contradict each other */
export function wishOf(body: RetryRunBody, by: string, request: string): Wish {
  const { from = body.site === undefined ? 'provision' : 'sites', site, reason } = body;
  if (site !== undefined && from !== 'sites') {
    const detail = `is for retries from sites, and this is one from ${from}`;
    throw new HttpProblem('invalid-request', 'The body is wrong: a site is retried from sites.', [
      { pointer: '/site', detail },
    ]);
  }
  return { from, site, by, reason, request };
}

/** Why nodes of a run under way cannot begin anew; `undefined` where they can. */
export function whyNot(
  model: RunModel,
  computation: Pick<Computation, 'name' | 'failure'> | undefined,
  { from, site }: Pick<Wish, 'from' | 'site'>,
): string | undefined {
  const { runId, state } = model.run;
  if (isTerminalRun(state)) return `Run ${runId} is ${state}: its kits are gone. Retry it from provision.`;
  if (model.run.stop || state === 'stopping')
    return `Run ${runId} is being stopped. Retry it from provision.`;
  if (from === 'launch')
    return state === 'launching' || state === 'running'
      ? undefined
      : `Run ${runId} is ${state}: it has no kits yet to launch with.`;
  if (state !== 'running') return `Run ${runId} is ${state}: its sites were not all told to start yet.`;
  if (computation?.failure.mayReturn === false)
    return `${computation.name} takes no site in that comes again (failure.mayReturn in its manifest). Retry the run from launch.`;
  const hub = central(model).state;
  if (isTerminalNode(hub)) return `The central node of run ${runId} is ${hub}: no site can join it any more.`;
  if (site !== undefined) return canRetry(model, site) ? undefined : `${site} is complete.`;
  const isOpen = [...model.nodes.keys()].some((node) => canRetry(model, node));
  return isOpen ? undefined : `Every site of run ${runId} is complete.`;
}

export function createRetries(deps: {
  db: Database;
  journal: Journal;
  temporal: Runs;
  truth: Truth;
}): Retries {
  const { db, journal, temporal, truth } = deps;

  async function beginAnew(runId: string, wish: Wish): Promise<void> {
    const { by, reason, request } = wish;
    // Temporal keeps this as it is; by whom and why is known here.
    const reset = await temporal.reset(runId, 'retried in Muster', request);
    if (reset === undefined) return;
    const { execution, isNew } = reset;
    const event = await startEvent(runId, wish);
    await journal.change(runId, async (tx, tell) => {
      // Also of a request that was sent again, for the first may have ended before it came to this.
      await tx.insert(retries).values({ runId, execution, by, reason }).onConflictDoNothing();
      if (isNew) tell(event);
    });
  }

  async function askRun(runId: string, wish: Wish): Promise<void> {
    await truth.check(await findRun(db, runId));
    const { model, computation } = await readRun(runId);
    const { from, site, by, reason, request } = wish;
    const views = [model.run, ...model.nodes.values()];
    if (views.some(({ retry }) => retry?.request === request)) return;
    if (site !== undefined && (site === CENTRAL_NODE || !model.nodes.has(site)))
      throw new HttpProblem('unknown-node', `Run ${runId} has no site ${site}.`);
    const obstacle = whyNot(model, computation, wish);
    if (obstacle !== undefined) throw new HttpProblem('retry-impossible', obstacle);
    const signal = { from: from === 'launch' ? from : 'sites', by, request } as const;
    const was = await temporal.signalRetry(runId, {
      ...signal,
      ...(site !== undefined && { sites: [site] }),
      ...(reason !== undefined && { reason }),
    });
    if (!was)
      throw new HttpProblem('retry-impossible', `Run ${runId} has just ended. Retry it from provision.`);
    const event = await startEvent(runId, wish);
    await journal.change(runId, (_tx, tell) => {
      tell(event);
      return Promise.resolve();
    });
  }

  async function readRun(runId: string) {
    const [[row], rows] = await Promise.all([
      db.select({ view: runs.view, input: runs.input }).from(runs).where(eq(runs.runId, runId)),
      db.select({ view: nodes.view }).from(nodes).where(eq(nodes.runId, runId)),
    ]);
    const run = row?.view ?? (await findRun(db, runId)).view;
    const model: RunModel = { run, nodes: new Map(rows.map(({ view }) => [view.node, view])) };
    return { model, computation: row?.input?.computation };
  }

  /** A request that is sent again tells of itself once. */
  async function startEvent(runId: string, { from, site, by, reason, request }: Wish) {
    const { consortiumId } = await findRun(db, runId);
    const data = { consortium: consortiumId, startedBy: by, retry: true, from, site, reason };
    const subject = `retry ${request}`;
    return { type: 'CentralClientStartRun', at: Date.now(), data, subject } as const;
  }

  return { ask: (runId, wish) => (wish.from === 'provision' ? beginAnew : askRun)(runId, wish) };
}
