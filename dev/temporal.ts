/**
 * The Temporal server of the local stack: how to come by the Temporal CLI, and how its development server is run so
 * that it is fast enough for many runs at once.
 */
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from './package-root';
import { run } from './run';
import { firstThatWorks, inCache, made, onPath, type Program, type Waiting } from './programs';

const TEMPORAL: Program = { name: 'temporal', version: '1.5.1' };
const DOWNLOAD_TIMEOUT_MS = 120_000;

/** Path of a Temporal CLI. */
export function findTemporal(waiting: Waiting, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return firstThatWorks(
    'The Temporal CLI',
    [
      onPath('temporal', env),
      inCache(TEMPORAL, env),
      made('download by the Temporal SDK', TEMPORAL, download(env), env),
      made('build with Go', TEMPORAL, build(env), env),
    ],
    'Install the Temporal CLI (https://docs.temporal.io/cli) or Go (https://go.dev/dl), or set TEMPORAL_ADDRESS to a running server.',
    waiting,
  );
}

/**
 * The SDK only downloads as a part of starting a server, so one is started and torn down at once; in a process of
 * its own, which can be given up when the network does not answer.
 */
function download(env: NodeJS.ProcessEnv) {
  const script = `
    const { TestWorkflowEnvironment } = require(process.argv[1]);
    const executable = { type: 'cached-download', downloadDir: process.argv[2], version: 'v${TEMPORAL.version}' };
    TestWorkflowEnvironment.createLocal({ server: { executable } }).then((server) => server.teardown()).catch((error) => {
      let cause = error;
      while (cause.cause instanceof Error) cause = cause.cause;
      console.error(cause.message);
      process.exit(1);
    });`;
  return async (folder: string, { progress, signal }: Waiting) => {
    progress('downloading the Temporal CLI');
    const testing = require.resolve('@temporalio/testing');
    await run(process.execPath, ['-e', script, testing, folder], {
      env,
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
      signal,
    });
    const file = (await readdir(folder)).find((name) => name.startsWith('temporal'));
    if (file === undefined) throw new Error('the SDK left no program behind');
    return join(folder, file);
  };
}

function build(env: NodeJS.ProcessEnv) {
  return async (folder: string, { progress, signal }: Waiting) => {
    progress('building the Temporal CLI with Go (once; about 5 minutes)');
    const module = join(folder, 'module');
    await cp(join(packageRoot(), 'dev', 'go', 'temporal'), module, { recursive: true });
    const output = join(folder, TEMPORAL.name);
    const source = 'github.com/temporalio/cli/cmd/temporal';
    await run('go', ['build', '-buildvcs=false', '-ldflags', '-s -w', '-o', output, source], {
      cwd: module,
      env,
      signal,
    });
    return output;
  };
}

/** How a development server is to run. */
export interface DevServer {
  host: string;
  port: number;
  /** Absent: no Web UI. */
  uiPort?: number;
  /** Where the Web UI has payloads opened. */
  codecEndpoint?: string;
  /** Where its state is kept; absent: in memory only. */
  database?: string;
}

/** Arguments of the Temporal CLI for this development server. */
export function devServerArgs(server: DevServer): string[] {
  return [
    ...['server', 'start-dev', '--ip', server.host, '--port', String(server.port), '--log-level', 'warn'],
    ...(server.uiPort === undefined ? ['--headless'] : ['--ui-port', String(server.uiPort)]),
    ...(server.codecEndpoint === undefined ? [] : ['--ui-codec-endpoint', server.codecEndpoint]),
    ...(server.database === undefined ? [] : ['--db-filename', server.database]),
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    ...Object.entries(DYNAMIC_CONFIG).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
  ];
}

/**
 * The default of 20 task reads per second and shard makes every dispatch after a burst wait tens of milliseconds, and
 * the default number of partitions overloads matching when many sites poll a queue of their own. A new namespace is
 * usable only after the next refresh of the namespace cache.
 */
const DYNAMIC_CONFIG = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.visibilityProcessorMaxPollRPS': 2000,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  'system.namespaceCacheRefreshInterval': '200ms',
  'frontend.namespaceCount': 10_000,
} as const;
