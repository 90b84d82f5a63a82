/**
 * docs/reliability.json: what became of the experiments when each was done last. A part of them can be done anew without the
 * others, so each has the day and the commit that it was done with.
 */
import { z } from 'zod';
import { FAULTS, PARTS, type Outcome, type PartName } from './experiments';
import type { RandomKills } from './random-kills';
import type { NetworkOutcome } from './site-network';

/** What one measurement found. */
export interface Results {
  matrix: Outcome[];
  random?: RandomKills;
  network: NetworkOutcome[];
  /** Parts that this machine cannot have, and why. */
  absent: Partial<Record<PartName, string>>;
}

const Moment = z.object({ on: z.iso.date(), commit: z.string() });
export type Moment = z.output<typeof Moment>;

const wrong = z.array(z.string());
const Cell = z.object({
  part: z.enum(PARTS),
  fault: z.enum(FAULTS),
  secondsToEnd: z.number(),
  failed: z.array(z.object({ phase: z.string(), why: z.string() })),
  wrong,
  measured: Moment,
});
export type Cell = z.output<typeof Cell>;

const Counts = z.record(z.string(), z.number());
export const ReliabilityRecord = z.object({
  matrix: z.array(Cell),
  random: z
    .object({ seed: z.number(), runs: z.number(), seconds: z.number(), kills: Counts, states: Counts, wrong })
    .extend({ measured: Moment })
    .optional(),
  network: z.array(z.object({ what: z.string(), seconds: z.number(), wrong, measured: Moment })),
  /** Parts that the machine of the last time could not have, and why. */
  absent: z.partialRecord(z.enum(PARTS), z.string()),
});
export type ReliabilityRecord = z.output<typeof ReliabilityRecord>;

/** The record after some of the experiments, or all, were done anew. */
export function renewed(before: ReliabilityRecord, results: Results, measured: Moment): ReliabilityRecord {
  const { matrix, random, network, absent } = results;
  const cells = PARTS.flatMap((part) =>
    FAULTS.flatMap((fault) => {
      const isIt = (one: { part: PartName; fault: string }) => one.part === part && one.fault === fault;
      const outcome = matrix.find(isIt);
      if (outcome) return [Cell.parse({ ...outcome, measured })];
      return before.matrix.filter(isIt);
    }),
  );
  const kept = before.network.filter(({ what }) => !network.some((outcome) => outcome.what === what));
  const measuredParts = new Set(cells.map(({ part }) => part));
  const missing = Object.entries({ ...before.absent, ...absent }) as [PartName, string][];
  return {
    matrix: cells,
    ...(random ? { random: { ...random, measured } } : before.random && { random: before.random }),
    network: [...kept, ...network.map((outcome) => ({ ...outcome, measured }))],
    absent: Object.fromEntries(missing.filter(([part]) => !measuredParts.has(part))),
  };
}
