/** The fault matrix: what is hurt, how, and what became of the runs that were held in each phase meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkRun } from './run-checks';
import { HeldRuns, type Holding, type Phase } from './phases';
import type { FaultStack } from './stack';

export const PARTS = [
  'central-worker',
  'edge-worker',
  'api',
  'gateway',
  'temporal',
  'minio',
  'docker',
  'postgres',
] as const;
export type PartName = (typeof PARTS)[number];

export const FAULTS = ['kill', 'term', 'pause', 'down'] as const;
export type FaultName = (typeof FAULTS)[number];

const PAUSE_MS = 30_000;
const DOWN_MS = 60_000;
/** From the end of the fault and the release of the runs to the end of the last of them. */
const ENDED_MS = 300_000;

/** A run that fails for one of these has not told what happened. */
const SAYS_NOTHING: readonly string[] = ['Internal', 'RunFailed'];

/** What became of one cell of the matrix. */
export interface Outcome {
  part: PartName;
  fault: FaultName;
  seconds: number;
  /** From the release, or the end of the fault where that is later. */
  secondsToEnd: number;
  /** Runs that failed, by the phase in which the fault met them, and why. */
  failed: { phase: Phase; why: string }[];
  /** What must hold and does not. */
  wrong: string[];
}

/** Lets a fault meet the held runs, and answers with what became of them. */
export async function experiment(holding: Holding, part: PartName, fault: FaultName): Promise<Outcome> {
  const began = Date.now();
  const held = await HeldRuns.hold(holding, `${part}-${fault}-${began}`);
  try {
    const name = part === 'edge-worker' ? `edge-worker:${holding.stack.sites.at(-1) ?? ''}` : part;
    await FAULT[fault](holding.stack, name, part, () => held.release());
    const over = Date.now();
    const ended = await held.ended(ENDED_MS);
    const secondsToEnd = secondsSince(over);
    const failed: Outcome['failed'] = [];
    const wrong: string[] = [];
    for (const [phase, { detail, followed }] of ended) {
      const { state, error } = detail.run;
      const wanted = phase === 'stopping' ? 'stopped' : 'complete';
      if (state === 'failed' && error !== undefined && !SAYS_NOTHING.includes(error.type))
        failed.push({ phase, why: `${error.node}: ${error.type}: ${error.message}` });
      else if (state !== wanted)
        wrong.push(`the run held in ${phase} is ${state}: ${error?.message ?? 'no error'}`);
      wrong.push(...(await checkRun(holding.stack, detail, followed)).map((what) => `${phase}: ${what}`));
    }
    return { part, fault, seconds: secondsSince(began), secondsToEnd, failed, wrong };
  } finally {
    await held.leave();
  }
}

/** That of an experiment which came to no end. */
export const outcomeWithout = (part: PartName, fault: FaultName, error: unknown): Outcome => ({
  ...{ part, fault, seconds: 0, secondsToEnd: 0, failed: [] },
  wrong: [error instanceof Error ? error.message : String(error)],
});

/** Does what is to be done to a part, releases the runs in the middle of it, and resolves when the part is well again. */
type Hurt = (stack: FaultStack, name: string, part: PartName, release: () => Promise<void>) => Promise<void>;

const ended =
  (signal: NodeJS.Signals): Hurt =>
  async (stack, name, part, release) => {
    const { pid } = stack.entry(name);
    // Postgres takes SIGTERM for a request to end once nobody uses it any more; service managers send it SIGINT.
    await stack.signal(name, part === 'postgres' && signal === 'SIGTERM' ? 'SIGINT' : signal);
    await release();
    await stack.backWithout(name, pid);
  };

const FAULT: Readonly<Record<FaultName, Hurt>> = {
  kill: ended('SIGKILL'),
  term: ended('SIGTERM'),
  pause: async (stack, name, part, release) => {
    // A database server is many processes.
    const all = part === 'postgres';
    await stack.signal(name, 'SIGSTOP', { all });
    await sleep(PAUSE_MS / 2);
    await release();
    await sleep(PAUSE_MS / 2);
    await stack.signal(name, 'SIGCONT', { all });
  },
  down: async (stack, name, _part, release) => {
    const back = stack.down(name, DOWN_MS);
    await sleep(DOWN_MS / 2);
    await release();
    await back;
  },
};

const secondsSince = (moment: number) => Math.round((Date.now() - moment) / 1000);
