/**
 * `npm run bench`: what Muster adds to the least that bringing the same nodes up takes (floor-workflows.ts), what an idle
 * edge worker holds, what the site gateway adds, takes and withstands, how long lists take beside many who follow a run, what a large kit takes on its way, and what is added
 * to a real computation in containers. Exits with 1 when a bound is missed.
 *
 * Where two are compared, both run on one stack of their own and take turns, so that a machine that is slow for a while is
 * slow for both.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { INTERRUPTED } from '../../cli/exit-codes';
import { InterruptedError, listenForInterrupts } from '../../cli/interrupts';
import { showStackProgress } from '../../cli/stack-progress';
import { prepareMeans } from '../../cli/try-means';
import { readPlan } from '../../cli/try-plan';
import { packageRoot } from '../../dev/package-root';
import { openStack, type Stack } from '../../dev/stack';
import { engineAnswers } from '../../nodes';
import { dockerOverhead } from './docker-overhead';
import { startDirectSites } from './direct-sites';
import {
  describeFigures,
  missedBounds,
  type Figures,
  type Pair,
  type Secured,
  type Startup,
} from './figures';
import { FloorSide } from './floor-side';
import { measureGateway } from './gateway';
import { kitMemory } from './kit-memory';
import { measureLists } from './lists';
import { MusterSide } from './muster-side';
import { sealingSecondsOfARun } from './sealing-share';
import type { Side } from './side';

const PARTS = ['startup', 'secured', 'gateway', 'lists', 'kits', 'docker'] as const;
type Part = (typeof PARTS)[number];

interface BenchOptions {
  only: readonly Part[];
  /** Ascending. */
  sites: number[];
  pairs: number;
  json?: string;
}

const PENGUINS = join(packageRoot(), 'computations', 'penguins');
const ISLANDS = ['biscoe', 'dream', 'torgersen'];
/** The nodes of a measured run are all there until they are ended. */
const PARAMETERS = { pauseSeconds: 600 };
const DEMO_SITES = 3;
/** Each takes most of a minute. */
const DOCKER_PAIRS = 3;

const say = (line: string) => void process.stderr.write(`${line}\n`);

async function bench(options: BenchOptions, signal: AbortSignal): Promise<Figures> {
  const state = await mkdtemp(join(tmpdir(), 'muster-bench-'));
  const progress = showStackProgress(process.stderr);
  try {
    const stack = await openStack({ state, progress, signal }).finally(() => progress.close());
    try {
      return await measure(options, stack, signal);
    } finally {
      await stack.stop();
    }
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

async function measure(
  { only, sites, pairs }: BenchOptions,
  stack: Stack,
  signal: AbortSignal,
): Promise<Figures> {
  const figures: Figures = {};
  // The gateway is measured before the many workers of the others are there, which wake up now and then.
  if (only.includes('gateway')) figures.gateway = await measureGateway(stack, signal, say);
  if (only.includes('secured')) figures.secured = await measureSecured(stack, pairs, signal);
  if (only.includes('startup')) Object.assign(figures, await measureStartup(stack, { sites, pairs }, signal));
  if (only.includes('lists')) figures.lists = await measureLists(stack, signal, say);
  if (only.includes('kits')) figures.kits = await measureKits(stack);
  if (only.includes('docker')) figures.docker = await measureContainers(stack, signal);
  return figures;
}

/** The penguins, and as many sites as wanted, each with the data of an island. */
async function preparePenguins(prefix: string, count: number) {
  const site = Array.from({ length: count }, (_, index) => {
    const island = ISLANDS[index % ISLANDS.length] ?? '';
    return `${prefix}-${String(index + 1).padStart(2, '0')}=${join(PENGUINS, 'data', island)}`;
  });
  const plan = await readPlan(join(PENGUINS, 'computation.yaml'), { site });
  return { plan, means: await prepareMeans(plan, 'process', say) };
}

/**
 * The demo's bring-up, with sites that reach Temporal through the gateway, and with sites that reach it directly. Histories
 * are sealed for both; what that takes is measured by itself.
 */
async function measureSecured(stack: Stack, wanted: number, signal: AbortSignal): Promise<Secured> {
  const [secured, direct] = [
    await preparePenguins('secured', DEMO_SITES),
    await preparePenguins('direct', DEMO_SITES),
  ];
  const open = ({ plan, means }: typeof secured, start?: typeof startDirectSites) =>
    MusterSide.open(stack, means, plan.sites, PARAMETERS, signal, start);
  const [muster, floor] = [await open(secured), await open(direct, startDirectSites)];
  say(`Starting the workers of ${DEMO_SITES} sites that use the gateway, and of ${DEMO_SITES} that do not`);
  for (const side of [floor, muster]) await side.startSites(DEMO_SITES);
  const pairs = await measurePairs({ floor, muster }, DEMO_SITES, wanted);
  for (const { plan } of [secured, direct])
    for (const { id } of plan.sites) await stack.stopPart(`edge-worker:${id}`);
  return { pairs, sealingSeconds: await sealingSecondsOfARun(stack) };
}

async function measureStartup(
  stack: Stack,
  { sites: sizes, pairs }: Pick<BenchOptions, 'sites' | 'pairs'>,
  signal: AbortSignal,
): Promise<Pick<Figures, 'startup' | 'idleEdgeWorkerBytes'>> {
  const { plan, means } = await preparePenguins('site', sizes.at(-1) ?? 0);
  const program = { folder: plan.folder, commands: plan.computation.commands };
  const muster = await MusterSide.open(stack, means, plan.sites, PARAMETERS, signal);
  const floor = await FloorSide.open(stack, program, plan.sites, PARAMETERS, signal);

  const startup: Startup[] = [];
  const idle: number[] = [];
  for (const count of sizes) {
    say(`Starting the workers of ${count} sites`);
    for (const side of [floor, muster]) await side.startSites(count);
    idle.push(...(await muster.edgeWorkerMemory()));
    startup.push({ sites: count, pairs: await measurePairs({ floor, muster }, count, pairs) });
    idle.push(...(await muster.edgeWorkerMemory()));
  }
  return { startup, idleEdgeWorkerBytes: Math.max(...idle) };
}

/** The first pair is not counted: code that was never run before is slow. */
async function measurePairs(
  { floor, muster }: Record<keyof Pair, Side>,
  count: number,
  wanted: number,
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let number = 0; number <= wanted; number++) {
    const pair = { floor: await floor.bringUp(count), muster: await muster.bringUp(count) };
    const which = number === 0 ? 'to warm up' : `${number} of ${wanted}`;
    say(`${count} sites, ${which}: ${pair.floor.toFixed(2)} s, Muster ${pair.muster.toFixed(2)} s`);
    if (number > 0) pairs.push(pair);
  }
  return pairs;
}

async function measureContainers(stack: Stack, signal: AbortSignal): Promise<Pair[]> {
  if (await engineAnswers()) return dockerOverhead(stack, DOCKER_PAIRS, signal, say);
  say('No container engine answers: what Muster adds to containers is left out');
  return [];
}

function measureKits({ objectStore }: Stack): ReturnType<typeof kitMemory> {
  say('Taking a large kit through the object store');
  const { endpoint, accessKey, secretKey, ca } = objectStore;
  const env = { MINIO_ENDPOINT: endpoint, MINIO_ACCESS_KEY: accessKey, MINIO_SECRET_KEY: secretKey };
  const tls: Record<string, string> = ca === undefined ? {} : { MINIO_TLS_CA: ca };
  return kitMemory({ env: { ...env, ...tls, MINIO_BUCKET: 'bench' } });
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 on');
  return value;
}

function parts(text: string): readonly Part[] {
  const wanted = text.split(',');
  const unknown = wanted.filter((name) => !PARTS.some((part) => part === name));
  if (unknown.length > 0)
    throw new InvalidArgumentError(`there is no ${unknown.join(', ')}: ${PARTS.join(', ')}`);
  return PARTS.filter((part) => wanted.includes(part));
}

const sizes = (text: string) =>
  text
    .split(',')
    .map(positive)
    .sort((a, b) => a - b);

async function main(options: BenchOptions): Promise<number> {
  const { asked, forced } = listenForInterrupts();
  // Whatever still runs is killed when this process exits.
  forced.addEventListener('abort', () => process.exit(INTERRUPTED));
  try {
    const figures = await bench(options, asked);
    if (options.json !== undefined) await writeFile(options.json, JSON.stringify(figures, undefined, 2));
    const missed = missedBounds(figures);
    console.log(['', ...describeFigures(figures), ...missed.map((what) => `MISSED: ${what}`)].join('\n'));
    return missed.length === 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof InterruptedError) return INTERRUPTED;
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

const program = new Command('bench')
  .description('measure how fast runs come up, and what the gateway, workers and kits take')
  .option('--only <parts>', `some of ${PARTS.join(', ')}, separated by commas`, parts, PARTS)
  .option('--sites <numbers>', 'at startup: how many sites, separated by commas', sizes, [2, 10, 20])
  .option('--pairs <number>', 'how often startup and secured are measured', positive, 9)
  .option('--json <file>', 'also write the figures to a file')
  .action(async (options: BenchOptions) => process.exit(await main(options)));
void program.parseAsync();
