/**
 * The reconciler: clears away what this host holds of launches that nobody looks after any more, because their run was
 * terminated, or ended while this host was off. It asks the central API, which asks Temporal, and does what the run would
 * have asked for: stop, then release. Where nobody can tell, it does nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { CentralApi } from '../../client/central-api';
import type { RuntimeKind } from '../../nodes';
import { mapInBatches } from '../../storage/batch';
import { MAX_LAUNCHES_ASKED, type LaunchLiveness } from '../../workflows/api-contract';
import type { EdgeActivities, LaunchRef, NodeRef } from '../../workflows/contract';
import type { NodeHost } from './host';

/** How often a host looks at what it holds, give or take a quarter, so that the hosts of a run do not all ask at once. */
const LOOK_EVERY_MS = 30_000;
/** How soon it looks again at what seems to be over. */
const CONFIRM_AFTER_MS = 5_000;
/** How long a launch that is over keeps the mark that nothing of it is to be started here. */
const KEEP_MARK_MS = 7 * 86_400_000;
/** The grace period of the computation is in its run, which is gone. */
const GRACE = '20s';
const AT_ONCE = 8;

/** All that a host holds of one launch. */
export interface Holding {
  ref: LaunchRef;
  nodes: readonly { kind: RuntimeKind; node: string }[];
  /** Nothing but the mark that it was stopped. */
  onlyMark: boolean;
}

export type Step =
  /** Nothing: it is live, or may be. */
  | 'leave'
  /** It seems to be over: look again. */
  | 'confirm'
  | 'stop'
  | 'release'
  | 'forget';

/** In how many looks in a row each launch was over. */
export type Looks = ReadonlyMap<string, number>;

const OVER_FOR_SURE = 2;

export const keyOf = ({ runId, launchId }: LaunchRef) => `${runId}.${launchId}`;

/**
 * What is to be done about a launch that has been over in so many looks in a row. Stopping and removing are two steps, so
 * that whoever still watches a node sees it end by a stop, and not vanish.
 */
export function stepFor({ onlyMark }: Pick<Holding, 'onlyMark'>, looks: number): Step {
  if (looks === 0) return 'leave';
  if (looks < OVER_FOR_SURE) return 'confirm';
  if (onlyMark) return 'forget';
  return looks === OVER_FOR_SURE ? 'stop' : 'release';
}

/** The looks after another one; a launch that is not known to be over begins anew. */
export function countLooks(before: Looks, states: ReadonlyMap<string, LaunchLiveness>): Looks {
  const over = [...states].filter(([, state]) => state === 'over');
  return new Map(over.map(([key]) => [key, (before.get(key) ?? 0) + 1]));
}

export interface ReconcilerParts {
  host: Pick<NodeHost, 'runtimes' | 'folders'> & { api: Pick<CentralApi, 'askLiveness'> };
  /** As a run would ask for them. */
  activities: Pick<EdgeActivities, 'stopNode' | 'releaseLaunch'>;
  /** Launches for which the host has set something else aside. */
  reserved?: () => Promise<LaunchRef[]>;
  log: Logger;
}

export class Reconciler {
  private looks: Looks = new Map();
  /** Said once, until it changes. */
  private complaint: string | undefined;

  constructor(private readonly parts: ReconcilerParts) {}

  /** Looks at once, and again and again until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const unfinished = await this.look(signal);
      const pause = unfinished ? CONFIRM_AFTER_MS : LOOK_EVERY_MS * (0.75 + Math.random() / 2);
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Looks once, and answers whether it should look again soon. Failures are logged: the next look tries again. */
  async look(signal?: AbortSignal): Promise<boolean> {
    try {
      const held = await this.holdings();
      const states = await this.ask(
        held.map(({ ref }) => ref),
        signal,
      );
      this.looks = countLooks(this.looks, states);
      this.complaint = undefined;
      const steps = held.map((holding): [Holding, Step] => [
        holding,
        stepFor(holding, this.looks.get(keyOf(holding.ref)) ?? 0),
      ]);
      await mapInBatches(steps, AT_ONCE, ([holding, step]) => this.take(step, holding));
      return steps.some(([, step]) => step === 'confirm' || step === 'stop');
    } catch (err) {
      // What was over may not be so any more when the host can ask again.
      this.looks = new Map();
      if (!signal?.aborted) this.complain(err);
      return false;
    }
  }

  /** Everything that is here of launches; marks only when they are old. */
  private async holdings(): Promise<Holding[]> {
    const { host, reserved = () => Promise.resolve([]) } = this.parts;
    const [kept, ports, nodes] = await Promise.all([host.folders.list(), reserved(), this.nodes()]);
    const old = Date.now() - KEEP_MARK_MS;
    const marks = kept.filter(({ onlyMarkedSince }) => onlyMarkedSince !== undefined);
    const launches = [
      ...kept.filter(({ onlyMarkedSince }) => onlyMarkedSince === undefined).map(({ ref }) => ref),
      ...ports,
      ...nodes.map(({ ref }) => ref),
    ];
    const held = new Map(launches.map((ref) => [keyOf(ref), ref]));
    const forgettable = marks.filter(
      ({ ref, onlyMarkedSince = Infinity }) => onlyMarkedSince < old && !held.has(keyOf(ref)),
    );
    return [
      ...[...held].map(([key, { runId, launchId }]) => ({
        ref: { runId, launchId },
        nodes: nodes
          .filter(({ ref }) => keyOf(ref) === key)
          .map(({ kind, ref: { node } }) => ({ kind, node })),
        onlyMark: false,
      })),
      ...forgettable.map(({ ref }) => ({ ref, nodes: [], onlyMark: true })),
    ];
  }

  private async nodes(): Promise<{ kind: RuntimeKind; ref: NodeRef }[]> {
    const { process, docker } = this.parts.host.runtimes;
    const lists = await Promise.all(
      [process, docker].map(async (runtime) => {
        // A host need not have an engine; where one is only away, what is left of a launch keeps being looked at.
        const refs = await runtime.list().catch((err: unknown) => {
          this.parts.log.debug({ err, runtime: runtime.kind }, 'nodes cannot be listed');
          return [];
        });
        return refs.map((ref) => ({ kind: runtime.kind, ref }));
      }),
    );
    return lists.flat();
  }

  private async ask(launches: LaunchRef[], signal?: AbortSignal): Promise<Map<string, LaunchLiveness>> {
    const states = new Map<string, LaunchLiveness>();
    for (let first = 0; first < launches.length; first += MAX_LAUNCHES_ASKED) {
      const some = launches.slice(first, first + MAX_LAUNCHES_ASKED);
      const answer = await this.parts.host.api.askLiveness({ launches: some }, signal);
      for (const { state, ...ref } of answer.launches) states.set(keyOf(ref), state);
    }
    return states;
  }

  private async take(step: Step, holding: Holding): Promise<void> {
    const { ref, nodes } = holding;
    const { log } = this.parts;
    try {
      if (step === 'stop') {
        log.info({ ...ref, nodes }, 'stopping what no live run looks after');
        await this.stop(holding);
      } else if (step === 'release') {
        await this.release(holding);
        log.info({ ...ref, nodes }, 'removed what no live run looks after');
      } else if (step === 'forget') {
        await this.parts.host.folders.forget(ref);
      }
    } catch (err) {
      log.warn({ err, ...ref }, `cannot ${step} what no live run looks after: trying again`);
    }
  }

  private async stop({ ref, nodes }: Holding): Promise<void> {
    const { activities, host } = this.parts;
    // First of all, so that a start that comes late, or is under way, finds it.
    await host.folders.markStopped(ref);
    await Promise.all(nodes.map(({ node }) => activities.stopNode({ ...ref, node, grace: GRACE })));
  }

  private async release({ ref, nodes }: Holding): Promise<void> {
    const { activities, host } = this.parts;
    await activities.releaseLaunch(ref);
    // Those of which the launch's own record said nothing.
    await Promise.all(nodes.map(({ kind, node }) => host.runtimes[kind].remove({ ...ref, node })));
  }

  private complain(err: unknown): void {
    const complaint = err instanceof Error ? err.message : String(err);
    if (complaint !== this.complaint) this.parts.log.warn({ err }, 'nobody says which launches are live');
    this.complaint = complaint;
  }
}
