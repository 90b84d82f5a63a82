/**
 * `npm run bench`: what Muster adds to the least that bringing the same nodes up takes (floor-workflows.ts), what an idle
 * edge worker holds, what a large kit takes on its way, and what is added to a real computation in containers. Exits with 1 when a bound is missed.
 *
 * Both sides run on one stack of their own and take turns, so that a machine that is slow for a while is slow for both.
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
import { describeFigures, missedBounds, type Figures, type Pair } from './figures';
import { FloorSide } from './floor-side';
import { kitMemory } from './kit-memory';
import { MusterSide } from './muster-side';
import type { Side } from './side';

interface BenchOptions {
  /** Ascending. */
  sites: number[];
  pairs: number;
  kits: boolean;
  docker: boolean;
  json?: string;
}

const PENGUINS = join(packageRoot(), 'computations', 'penguins');
const ISLANDS = ['biscoe', 'dream', 'torgersen'];
/** The nodes of a measured run are all there until they are ended. */
const PARAMETERS = { pauseSeconds: 600 };
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
  { sites: sizes, pairs, kits, docker }: BenchOptions,
  stack: Stack,
  signal: AbortSignal,
): Promise<Figures> {
  const site = Array.from({ length: sizes.at(-1) ?? 0 }, (_, index) => {
    const island = ISLANDS[index % ISLANDS.length] ?? '';
    return `site-${String(index + 1).padStart(2, '0')}=${join(PENGUINS, 'data', island)}`;
  });
  const plan = await readPlan(join(PENGUINS, 'computation.yaml'), { site });
  const means = await prepareMeans(plan, 'process', say);
  const program = { folder: plan.folder, commands: plan.computation.commands };
  const muster = await MusterSide.open(stack, means, plan.sites, PARAMETERS, signal);
  const floor = await FloorSide.open(stack, program, plan.sites, PARAMETERS, signal);

  const startup: Figures['startup'] = [];
  const idle: number[] = [];
  for (const count of sizes) {
    say(`Starting the workers of ${count} sites`);
    for (const side of [floor, muster]) await side.startSites(count);
    idle.push(...(await muster.edgeWorkerMemory()));
    startup.push({ sites: count, pairs: await measurePairs({ floor, muster }, count, pairs) });
    idle.push(...(await muster.edgeWorkerMemory()));
  }
  return {
    startup,
    idleEdgeWorkerBytes: Math.max(...idle),
    ...(kits && { kits: await measureKits(stack) }),
    ...(docker && { docker: await measureContainers(stack, signal) }),
  };
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
    say(`${count} sites, ${which}: floor ${pair.floor.toFixed(2)} s, Muster ${pair.muster.toFixed(2)} s`);
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
  .description('measure how fast runs come up, and how much memory workers and kits take')
  .option('--sites <numbers>', 'how many sites, separated by commas', sizes, [2, 10, 20])
  .option('--pairs <number>', 'how often each is measured', positive, 9)
  .option('--no-kits', 'leave out the memory that a large kit takes')
  .option('--no-docker', 'leave out what Muster adds to a computation in containers')
  .option('--json <file>', 'also write the figures to a file')
  .action(async (options: BenchOptions) => process.exit(await main(options)));
void program.parseAsync();
