/**
 * Many runs while parts are killed at random, again and again. What is done is drawn from a seed, so that it can be done
 * again; when each thing happens is up to the machine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeError } from '../../workflows/contract';
import type { HeldParameters } from './computation';
import { FollowedRun } from './followed-run';
import { checkRun } from './run-checks';
import type { FaultStack } from './stack';
import { patiently } from './waiting';

export interface RandomKillOptions {
  stack: FaultStack;
  consortium: string;
  seed: number;
  runs: number;
  /** How many runs are under way at a time. */
  atOnce: number;
  /** From when a part is back to the next kill. */
  killEveryMs: number;
  /** After so many kills there are no more. */
  mostKills?: number;
  /** Within which every run has to end. */
  withinMs: number;
  say: (line: string) => void;
}

export interface RandomKills {
  seed: number;
  runs: number;
  seconds: number;
  kills: Record<string, number>;
  /** How many runs ended in each state. */
  states: Record<string, number>;
  wrong: string[];
}

/** How a run is meant to go. */
interface Plan {
  seconds: number;
  /** This node fails. */
  failing?: string;
  /** It is asked to stop after so many milliseconds. */
  stopAfterMs?: number;
}

/** Some of the runs fail, and some are stopped: what is told of those has to be true, too. */
const FAIL_ONE_IN = 10;
const STOP_ONE_IN = 10;
const LONGEST_S = 3;
const PAYLOAD_BYTES = 10_000;
const CHECKED_AT_ONCE = 4;

export async function randomKills(options: RandomKillOptions): Promise<RandomKills> {
  const { stack, seed, runs, atOnce, say } = options;
  const began = Date.now();
  const plans = drawPlans(options);
  const ended: { plan: Plan; run: FollowedRun; why?: string }[] = [];
  const over = new AbortController();
  const killing = killUntil(over.signal, options);
  const left = plans.map((plan, index) => ({ plan, index }));
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      ended.push(await oneRun(options, next.plan, `${seed}-${began}-${next.index}`));
      if (ended.length % 10 === 0) say(`${ended.length} of ${runs} runs have ended`);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    over.abort();
  }
  const kills = await killing;
  const states: Record<string, number> = {};
  const wrong: string[] = [];
  const check = async () => {
    for (let next = ended.shift(); next !== undefined; next = ended.shift()) {
      const { plan, run, why } = next;
      if (why !== undefined) wrong.push(why);
      else {
        const { detail, followed } = await run.ended(options.withinMs);
        states[detail.run.state] = (states[detail.run.state] ?? 0) + 1;
        wrong.push(...judge(plan, run.runId, detail.run), ...(await checkRun(stack, detail, followed)));
      }
      await run.leave();
    }
  };
  await Promise.all(Array.from({ length: CHECKED_AT_ONCE }, check));
  return { seed, runs, seconds: Math.round((Date.now() - began) / 1000), kills, states, wrong };
}

async function oneRun({ stack, consortium, withinMs }: RandomKillOptions, plan: Plan, key: string) {
  const { seconds, failing, stopAfterMs } = plan;
  const parameters: HeldParameters = { payloadBytes: PAYLOAD_BYTES, seconds };
  if (failing !== undefined) parameters.failing = failing;
  const run = await FollowedRun.start(stack, consortium, parameters, key);
  if (stopAfterMs !== undefined) {
    await sleep(stopAfterMs);
    await patiently(() =>
      stack.api.stopRun({ path: { runId: run.runId }, body: { reason: 'as was drawn' } }),
    );
  }
  return run.ended(withinMs).then(
    () => ({ plan, run }),
    (error: unknown) => ({ plan, run, why: String(error) }),
  );
}

/** Whether a run ended as it was meant to, or as nobody can blame it for. */
function judge(
  plan: Plan,
  runId: string,
  { state, error }: { state: string; error?: NodeError | undefined },
) {
  const told = `${runId} is ${state}${error === undefined ? '' : ` (${error.node}: ${error.type}: ${error.message})`}`;
  if (plan.failing !== undefined) {
    const isTrue = state === 'failed' && error?.node === plan.failing && error.type === 'NodeExited';
    return isTrue ? [] : [`${told}; ${plan.failing} was to fail`];
  }
  // One that is asked to stop may have been faster.
  const isTrue = state === 'complete' || (state === 'stopped' && plan.stopAfterMs !== undefined);
  return isTrue ? [] : [`${told}; it was to ${plan.stopAfterMs === undefined ? 'complete' : 'stop'}`];
}

function drawPlans({ seed, runs, stack }: RandomKillOptions): Plan[] {
  const draw = numbersFrom(seed);
  return Array.from({ length: runs }, (): Plan => {
    const [length, what, which] = [draw(), draw(), draw()];
    const seconds = Math.round(length * LONGEST_S * 10) / 10;
    if (what < 1 / FAIL_ONE_IN) return { seconds, failing: pick(stack.sites, which) };
    if (what < 1 / FAIL_ONE_IN + 1 / STOP_ONE_IN) return { seconds, stopAfterMs: which * LONGEST_S * 1000 };
    return { seconds };
  });
}

/**
 * Kills a part, again and again, and answers with how often each was. The one before has to be up again: a machine that
 * does nothing but start parts shows nothing.
 */
async function killUntil(
  signal: AbortSignal,
  { stack, seed, killEveryMs, mostKills = Infinity, say }: RandomKillOptions,
): Promise<Record<string, number>> {
  const draw = numbersFrom(seed + 1);
  const names = stack.running.map(({ name }) => name);
  const kills: Record<string, number> = {};
  for (let count = 0; count < mostKills; count++) {
    await sleep(killEveryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const name = pick(names, draw());
    kills[name] = (kills[name] ?? 0) + 1;
    say(`${name} is killed`);
    await stack.down(name, 0);
  }
  return kills;
}

const pick = <T>(values: readonly T[], at: number): T => {
  const value = values[Math.floor(at * values.length)];
  if (value === undefined) throw new Error('there is nothing to pick from');
  return value;
};

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
