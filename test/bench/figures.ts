/** What the bench measured, what it must hold, and how it is shown: pure. */
import type { KitMemory } from './kit-memory';
import { KIT_STEPS } from './kit-memory';
import { MiB } from './memory';

/** One bring-up on each side, in seconds. */
export interface Pair {
  floor: number;
  muster: number;
}

export interface Figures {
  /** Pairs by number of sites. */
  startup: { sites: number; pairs: Pair[] }[];
  /** The most that any edge worker held while it had nothing to do. */
  idleEdgeWorkerBytes: number;
  kits?: KitMemory;
  /** A whole run of a real computation in containers, by hand and by Muster. */
  docker?: Pair[];
}

/** At so many sites, bringing a run up takes at most so many times the floor. */
const STARTUP_BOUND = { sites: 10, ratio: 1.5 };
const IDLE_BOUND_BYTES = 130 * MiB;
/** Seconds that a run in containers takes longer than the same by hand. */
const DOCKER_BOUND = 3;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return (low + high) / 2;
}

/** The two runs of a pair follow each other, so what slows the machine down for a while slows both. */
const ratioOf = (pairs: readonly Pair[]) => median(pairs.map(({ floor, muster }) => muster / floor));

/** What does not hold, in words; nothing when all is well. */
export function missedBounds({ startup, idleEdgeWorkerBytes, docker = [] }: Figures): string[] {
  const missed: string[] = [];
  for (const { sites, pairs } of startup) {
    if (sites === STARTUP_BOUND.sites && ratioOf(pairs) > STARTUP_BOUND.ratio)
      missed.push(`bringing ${sites} sites up takes more than ${STARTUP_BOUND.ratio} times the floor`);
  }
  if (idleEdgeWorkerBytes > IDLE_BOUND_BYTES)
    missed.push(`an idle edge worker holds more than ${mebibytes(IDLE_BOUND_BYTES)}`);
  if (docker.length > 0 && addedTo(docker) > DOCKER_BOUND)
    missed.push(`a run in containers takes more than ${DOCKER_BOUND} s longer than by hand`);
  return missed;
}

const addedTo = (pairs: readonly Pair[]) => median(pairs.map(({ floor, muster }) => muster - floor));

/** The figures as lines for a person. */
export function describeFigures({ startup, idleEdgeWorkerBytes, kits, docker }: Figures): string[] {
  return [
    'From the start of a run to the last site’s user code running (process runtime, medians in seconds)',
    row('sites', 'floor', 'Muster', 'ratio'),
    ...startup.map(({ sites, pairs }) =>
      row(
        String(sites),
        median(pairs.map(({ floor }) => floor)).toFixed(2),
        median(pairs.map(({ muster }) => muster)).toFixed(2),
        ratioOf(pairs).toFixed(2) +
          (sites === STARTUP_BOUND.sites ? ` (at most ${STARTUP_BOUND.ratio})` : ''),
      ),
    ),
    '',
    `Idle edge worker: ${mebibytes(idleEdgeWorkerBytes)} resident (at most ${mebibytes(IDLE_BOUND_BYTES)})`,
    ...(kits === undefined ? [] : describeKits(kits)),
    ...(docker === undefined || docker.length === 0 ? [] : describeDocker(docker)),
  ];
}

function describeDocker(pairs: readonly Pair[]): string[] {
  const of = (side: keyof Pair) => `${median(pairs.map((pair) => pair[side])).toFixed(1)} s`;
  return [
    '',
    'An NVFlare computation in containers, two sites, from the command to its end (medians)',
    `by hand ${of('floor')}, by \`muster try --once\` ${of('muster')}, added ${addedTo(pairs).toFixed(1)} s (at most ${DOCKER_BOUND} s)`,
  ];
}

function describeKits({ sizeBytes, baselineBytes, peakRssBytes, seconds }: KitMemory): string[] {
  return [
    '',
    `A kit of ${mebibytes(sizeBytes)}, each step in a process of its own that holds ${mebibytes(baselineBytes)} without it`,
    ...KIT_STEPS.map(
      (step) =>
        `${step.padStart(10)}  ${mebibytes(peakRssBytes[step]).padStart(8)} at most  ${seconds[step].toFixed(1).padStart(6)} s`,
    ),
  ];
}

const row = (sites: string, floor: string, muster: string, ratio: string) =>
  `${sites.padStart(5)} ${floor.padStart(8)} ${muster.padStart(8)}   ${ratio}`;

const mebibytes = (bytes: number) => `${(bytes / MiB).toFixed(0)} MiB`;
