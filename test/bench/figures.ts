/** What the bench measured, what it must hold, and how it is shown: pure. */
import type { GatewayFigures } from './gateway';
import type { KitMemory } from './kit-memory';
import type { ListFigures } from './lists';
import { KIT_STEPS } from './kit-memory';
import { MiB } from './memory';

/** One bring-up on each side, in seconds. */
export interface Pair {
  floor: number;
  muster: number;
}

/** Pairs by number of sites. */
export interface Startup {
  sites: number;
  pairs: Pair[];
}

/** The demo's sites as they are, and reaching Temporal directly. */
export interface Secured {
  pairs: Pair[];
  /** Both have their histories sealed; so long it takes for a run. */
  sealingSeconds: number;
}

/** What was measured. */
export interface Figures {
  startup?: Startup[];
  /** The most that any edge worker held while it had nothing to do. */
  idleEdgeWorkerBytes?: number;
  secured?: Secured;
  gateway?: GatewayFigures;
  lists?: ListFigures;
  kits?: KitMemory;
  /** A whole run of a real computation in containers, by hand and by Muster. */
  docker?: Pair[];
}

/** At so many sites, bringing a run up takes at most so many times the floor. */
const STARTUP_BOUND = { sites: 10, ratio: 1.5 };
const IDLE_BOUND_BYTES = 130 * MiB;
/** Of the start latency with the gateway and sealed histories, to that without. */
const SECURED_BOUND = 1.15;
const GATEWAY_BOUNDS = {
  processorMsPerActivity: 3,
  idleBytes: 300 * MiB,
  /** Of the p99 of heartbeats under attack, to that without. */
  attacked: 2,
  secondsToCutOff: 10,
};
/** Of lists, beside many who follow a run. */
const LISTS_P95_MS = 100;
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
export function missedBounds({
  startup = [],
  idleEdgeWorkerBytes = 0,
  secured,
  gateway,
  lists,
  docker = [],
}: Figures): string[] {
  const missed: string[] = [];
  for (const { sites, pairs } of startup) {
    if (sites === STARTUP_BOUND.sites && ratioOf(pairs) > STARTUP_BOUND.ratio)
      missed.push(`bringing ${sites} sites up takes more than ${STARTUP_BOUND.ratio} times the floor`);
  }
  if (idleEdgeWorkerBytes > IDLE_BOUND_BYTES)
    missed.push(`an idle edge worker holds more than ${mebibytes(IDLE_BOUND_BYTES)}`);
  if (secured && securedRatio(secured) > SECURED_BOUND)
    missed.push(`runs start later than ${SECURED_BOUND} times as late as without the gateway and sealing`);
  if (gateway) missed.push(...missedByGateway(gateway));
  if (lists && p95Of(lists, 'lists') > LISTS_P95_MS)
    missed.push(`one list in twenty takes longer than ${LISTS_P95_MS} ms`);
  if (docker.length > 0 && addedTo(docker) > DOCKER_BOUND)
    missed.push(`a run in containers takes more than ${DOCKER_BOUND} s longer than by hand`);
  return missed;
}

function missedByGateway({
  processorMsPerActivity,
  idle,
  heartbeatP99Ms,
  secondsToCutOff,
}: GatewayFigures): string[] {
  const bounds = GATEWAY_BOUNDS;
  return [
    ...(processorMsPerActivity > bounds.processorMsPerActivity
      ? [`an activity takes more than ${bounds.processorMsPerActivity} ms of the gateway's processor time`]
      : []),
    ...(idle.residentBytes > bounds.idleBytes
      ? [`a gateway with ${idle.sites} sites that wait holds more than ${mebibytes(bounds.idleBytes)}`]
      : []),
    ...(attackedRatio(heartbeatP99Ms) > bounds.attacked
      ? [`heartbeats take more than ${bounds.attacked} times as long while a site attacks`]
      : []),
    ...(secondsToCutOff > bounds.secondsToCutOff
      ? [`a site that is revoked is cut off after more than ${bounds.secondsToCutOff} s`]
      : []),
  ];
}

/** As if the whole of the sealing were waited for. */
const securedRatio = ({ pairs, sealingSeconds }: Secured) =>
  ratioOf(pairs.map(({ floor, muster }) => ({ floor: floor - sealingSeconds, muster })));

const p95Of = ({ p95Ms }: ListFigures, side: 'hello' | 'lists') => median(p95Ms.map((turn) => turn[side]));

const attackedRatio = (phases: GatewayFigures['heartbeatP99Ms']) =>
  median(phases.map(({ alone, attacked }) => attacked / alone));

const addedTo = (pairs: readonly Pair[]) => median(pairs.map(({ floor, muster }) => muster - floor));

/** The figures as lines for a person. */
export function describeFigures({
  startup,
  idleEdgeWorkerBytes,
  secured,
  gateway,
  lists,
  kits,
  docker,
}: Figures): string[] {
  return [
    ...(startup === undefined ? [] : describeStartup(startup)),
    ...(idleEdgeWorkerBytes === undefined
      ? []
      : [
          '',
          `Idle edge worker: ${mebibytes(idleEdgeWorkerBytes)} resident (at most ${mebibytes(IDLE_BOUND_BYTES)})`,
        ]),
    ...(secured === undefined ? [] : describeSecured(secured)),
    ...(gateway === undefined ? [] : describeGateway(gateway)),
    ...(lists === undefined ? [] : describeLists(lists)),
    ...(kits === undefined ? [] : describeKits(kits)),
    ...(docker === undefined || docker.length === 0 ? [] : describeDocker(docker)),
  ];
}

function describeStartup(startup: readonly Startup[]): string[] {
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
  ];
}

function describeSecured(secured: Secured): string[] {
  const { pairs, sealingSeconds } = secured;
  const of = (side: keyof Pair) => `${median(pairs.map((pair) => pair[side])).toFixed(2)} s`;
  return [
    '',
    'The same for the three sites of the demo, through the gateway and by mutual TLS, and straight to Temporal (medians)',
    `straight ${of('floor')}, of which ${(sealingSeconds * 1000).toFixed(1)} ms to seal and open what is in histories; through the gateway ${of('muster')}`,
    `ratio to the former without sealing: ${securedRatio(secured).toFixed(2)} (at most ${SECURED_BOUND})`,
  ];
}

function describeGateway({
  processorMsPerActivity,
  idle,
  heartbeatP99Ms,
  secondsToCutOff,
}: GatewayFigures): string[] {
  const bounds = GATEWAY_BOUNDS;
  const of = (side: 'alone' | 'attacked') =>
    `${median(heartbeatP99Ms.map((phase) => phase[side])).toFixed(1)} ms`;
  return [
    '',
    'The site gateway',
    `processor time of an activity: ${processorMsPerActivity.toFixed(2)} ms (at most ${bounds.processorMsPerActivity} ms)`,
    `with ${idle.sites} sites that wait: ${mebibytes(idle.residentBytes)} resident (at most ${mebibytes(bounds.idleBytes)})`,
    `p99 of honest heartbeats: alone ${of('alone')}, while another site attacks ${of('attacked')}, ratio ${attackedRatio(heartbeatP99Ms).toFixed(2)} (at most ${bounds.attacked}; medians of ${heartbeatP99Ms.length})`,
    `a site that is revoked is cut off after ${secondsToCutOff.toFixed(1)} s (at most ${bounds.secondsToCutOff} s)`,
  ];
}

function describeLists(lists: ListFigures): string[] {
  const { runs, listeners, perSecond, p95Ms } = lists;
  const ratio = median(p95Ms.map((turn) => turn.lists / turn.hello));
  return [
    '',
    `Lists of an API with ${runs} runs, ${perSecond} a second, while ${listeners} follow a run that changes (medians of ${p95Ms.length})`,
    `p95 ${p95Of(lists, 'lists').toFixed(1)} ms (at most ${LISTS_P95_MS} ms); of a route that does nothing ${p95Of(lists, 'hello').toFixed(1)} ms, ratio ${ratio.toFixed(1)}`,
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
