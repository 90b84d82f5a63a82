/**
 * One trial from its start to its end: a stack, an edge worker per site, one run. Whatever happens, nothing that was
 * started here is left running.
 */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { ApiProblem, createMusterApi, type MusterApi } from '../client';
import { openStack, type Stack } from '../dev/stack';
import type { RuntimeKind } from '../nodes/node-runtime';
import type { StartedRun } from '../workflows/api-contract';
import { tryConsortium } from './arguments';
import { computationBody } from './computation-body';
import type { Interrupts } from './interrupts';
import { removeNodes } from './leftover-nodes';
import { isOver, type Progress } from './progress';
import { showStackProgress, type ShownProgress } from './stack-progress';
import type { ResultFolders } from './summary';
import { createScreen, type Screen } from './terminal';
import { chooseMeans, prepareMeans, type Means, type RuntimeWish } from './try-means';
import type { TryPlan } from './try-plan';
import { TrialSites } from './try-sites';
import { UsageError } from './usage-error';
import { watchRun } from './watch-run';

export interface TrialOptions {
  state: string;
  /** Where results go instead of into the state folder. */
  out?: string | undefined;
  runtime: RuntimeWish;
  /** End with the run, instead of waiting until the person has seen enough. */
  once: boolean;
}

/** How the run stood when it was last looked at: over, unless the person would not wait or the stack was taken away. */
export interface TrialOutcome {
  progress: Progress;
  results: ResultFolders;
  /** Where the run can still be looked at; absent when the stack ends now. */
  links: RunLinks | undefined;
}

export interface RunLinks {
  /** With an access token in its fragment, which browsers do not send. */
  page: string;
  temporal: string | undefined;
}

const TOKEN_LIFETIME = '7d';

/**
 * Tries `plan`, showing on `output` what happens.
 * @param tell called with the outcome while the stack is still up; it has a way to show lines
 * @throws UsageError, ApiProblem, what {@link openStack} throws, or InterruptedError when there was no run yet
 */
export async function runTrial(
  plan: TryPlan,
  options: TrialOptions,
  output: NodeJS.WriteStream,
  interrupts: Interrupts,
  tell: (outcome: TrialOutcome, say: (line: string) => void) => Promise<void>,
): Promise<void> {
  const { asked } = interrupts;
  const screen = createScreen(output);
  const runtime = await chooseMeans(plan, options.runtime);
  const shown = showStackProgress(output);
  const { means, stack, sites } = await prepare(plan, runtime, options, shown, screen, asked);
  const trial = new Trial(plan, means, stack, sites, screen, interrupts);
  try {
    const { links, ...outcome } = await trial.run();
    const end = AbortSignal.any([asked, stack.ended]);
    const stays = !options.once && !end.aborted;
    await tell({ ...outcome, links: stays ? links : undefined }, screen.line);
    if (stays) await waitForEnd(screen, end);
    if (stack.ended.aborted) screen.line('The stack was stopped by the process that started it.');
  } finally {
    await sites.end();
    await stack.stop();
    await trial.cleanUp(runtime);
  }
}

/** The computation ready to run, a stack and sites on which it is allowed, and the sites' edge workers coming up. */
async function prepare(
  plan: TryPlan,
  runtime: RuntimeKind,
  { state, out }: TrialOptions,
  shown: ShownProgress,
  screen: Screen,
  signal: AbortSignal,
): Promise<{ means: Means; stack: Stack; sites: TrialSites }> {
  let isUp = false;
  const notice = (line: string) => (isUp ? screen.line(line) : shown.notice(line));
  try {
    const stack = await openStack({
      state,
      results: out,
      progress: { ...shown, notice },
      signal,
      attach: true,
    });
    let sites: TrialSites | undefined;
    try {
      sites = await TrialSites.begin(stack, plan.sites);
      if (runtime === 'docker') shown.starting('Image');
      const say = (line: string) => shown.doing('Image', line);
      const means = await unlessAborted(signal, prepareMeans(plan, runtime, say));
      if (runtime === 'docker') shown.up('Image', plan.computation.image ?? '');
      await Promise.all([stack.allowComputation(means.allowed), sites.allow(means.allowed)]);
      isUp = true;
      return { means, stack, sites };
    } catch (error) {
      await sites?.end();
      await stack.stop();
      throw error;
    }
  } finally {
    shown.close();
  }
}

/** Its author changes a computation between two trials, and leaves the version as it is. */
const register = (api: MusterApi, { computation }: Means, signal: AbortSignal) =>
  mistaken(api.addComputation({ body: computationBody(computation), query: { replace: 'true' }, signal }));

/** What the API finds wrong with a trial is a mistake of the person who made it. */
const mistaken = <T>(call: Promise<T>): Promise<T> =>
  call.catch((error: unknown) => {
    const isMistake = error instanceof ApiProblem && [400, 422].includes(error.status);
    throw isMistake ? new UsageError(error.message) : error;
  });

class Trial {
  private unfinished: string | undefined;

  constructor(
    private readonly plan: TryPlan,
    private readonly means: Means,
    private readonly stack: Stack,
    private readonly sites: TrialSites,
    private readonly screen: Screen,
    private readonly interrupts: Interrupts,
  ) {}

  /**
   * Starts the run and resolves when it is over or was left.
   * @throws PartError when an edge worker does not come up
   */
  async run(): Promise<TrialOutcome & { links: RunLinks }> {
    const { stack, sites, screen, interrupts, plan } = this;
    const token = await stack.mint({ role: 'admin', sub: userInfo().username }, TOKEN_LIFETIME);
    const api = createMusterApi({ url: stack.api.url, token });
    await register(api, this.means, interrupts.asked);
    AbortSignal.any([interrupts.asked, sites.failed]).throwIfAborted();
    const { runId, page, temporal } = await this.start(api);
    this.unfinished = runId;
    const links = { page: `${page}#token=${token}`, temporal };
    describeLinks(links).forEach(screen.line);

    const forced = AbortSignal.any([interrupts.forced, stack.ended, sites.failed]);
    const progress = await watchRun(api, runId, screen, { asked: interrupts.asked, forced });
    if (isOver(progress)) this.unfinished = undefined;
    else if (sites.failed.aborted) {
      await api.stopRun({
        path: { runId },
        body: { reason: 'an edge worker did not start' },
        signal: interrupts.forced,
      });
      throw sites.failed.reason;
    }
    const folders = Object.fromEntries(plan.sites.map(({ id }) => [id, stack.paths.siteResults(id)]));
    return { progress, links, results: { central: stack.centralResults, sites: folders } };
  }

  /** After what was started has stopped: a run that was not waited for leaves no node behind. */
  async cleanUp(runtime: RuntimeKind): Promise<void> {
    const { unfinished, stack, plan } = this;
    // A stack of our own has ended all of its nodes; another's goes on, and its central worker ends the central node.
    if (unfinished === undefined || !stack.attached) return;
    await removeNodes(
      unfinished,
      runtime,
      plan.sites.map(({ id }) => stack.paths.site(id)),
    );
  }

  private async start(api: MusterApi): Promise<StartedRun> {
    const { id, body } = tryConsortium(this.means.computation, this.plan.sites, this.plan.parameters);
    const { forced } = this.interrupts;
    await mistaken(api.putConsortium({ path: { consortiumId: id }, body, signal: forced }));
    return mistaken(
      api.startRun({
        path: { consortiumId: id },
        body: {},
        headers: { 'idempotency-key': randomUUID() },
        signal: forced,
      }),
    );
  }
}

/** Where the run can be looked at. */
export function describeLinks({ page, temporal }: RunLinks): string[] {
  return [`Page             ${page}`, ...(temporal === undefined ? [] : [`Temporal Web UI  ${temporal}`])];
}

async function waitForEnd(screen: Screen, end: AbortSignal): Promise<void> {
  screen.line('The stack stays up. Stop everything with Ctrl-C.');
  await unlessAborted(end, new Promise<never>(() => undefined)).catch(() => undefined);
}

function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([work, aborted]);
}
