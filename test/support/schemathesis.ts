/** schemathesis, which tries an API with whatever its description allows and does not allow. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const VERSION = '4.32.5';
const FOLDER = join(homedir(), '.cache/muster', `schemathesis-${VERSION}`);
const PROGRAM = join(FOLDER, 'bin/schemathesis');
/** Written last, so that an installation that was broken off is done anew. */
const INSTALLED = join(FOLDER, 'installed');
/** Settings and hooks of ours. */
const OURS = join(__dirname, '../api');
const run = promisify(execFile);

/** Installs it where it is not there yet. */
export async function installSchemathesis(): Promise<void> {
  if (existsSync(INSTALLED)) return;
  await rm(FOLDER, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', FOLDER]);
  await run(join(FOLDER, 'bin/python'), ['-m', 'pip', 'install', '-q', `schemathesis==${VERSION}`]);
  await writeFile(INSTALLED, '');
}

/** A call that was made, and what was answered. */
export interface Exchange {
  method: string;
  path: string;
  status: number;
}

export interface Trial {
  /** What is wrong, in schemathesis's words; empty: nothing. */
  failures: string;
  exchanges: Exchange[];
}

export interface TrialOptions {
  /** Of the API. */
  url: string;
  token: string | undefined;
  /** Ids that are there, by the name of the path's parameter. */
  known: Readonly<Record<string, readonly string[]>>;
  /** Operations that are left out, by id. */
  except: readonly string[];
  /** Of cases for each operation. */
  examples: number;
  phases: readonly string[];
}

const Har = z.object({
  log: z.object({
    entries: z.array(
      z.object({
        request: z.object({ method: z.string(), url: z.string() }),
        response: z.object({ status: z.int() }),
      }),
    ),
  }),
});

/** Tries the API: always with the same cases, as long as its description is the same. */
export async function tryApi(options: TrialOptions): Promise<Trial> {
  const { url, token, known, except, examples, phases } = options;
  const folder = await mkdtemp(join(tmpdir(), 'muster-schemathesis-'));
  const har = join(folder, 'calls.har');
  const settings = join(folder, 'schemathesis.toml');
  // By the name that the description has for it, so that it is known when a case is to have none, or another.
  const bearer = token === undefined ? '' : `[auth.openapi.token]\nbearer = ${JSON.stringify(token)}\n`;
  await writeFile(settings, bearer + (await readFile(join(OURS, 'schemathesis.toml'), 'utf8')));
  const args = [
    ...['--config-file', settings, '--no-color', 'run', `${url}/openapi.json`],
    ...['--checks', 'all', '--phases', phases.join(), '--max-examples', String(examples)],
    ...['--generation-deterministic', '--no-shrink'],
    ...[
      '--request-timeout',
      '10',
      '--continue-on-failure',
      '--warnings',
      'off',
      '--suppress-health-check',
      'all',
    ],
    ...['--report', 'har', '--report-har-path', har],
    ...except.flatMap((id) => ['--exclude-operation-id', id]),
  ];
  const env = {
    ...process.env,
    SCHEMATHESIS_HOOKS: 'hooks',
    PYTHONPATH: OURS,
    PYTHONDONTWRITEBYTECODE: '1',
    MUSTER_KNOWN_IDS: JSON.stringify(known),
  };
  try {
    const failures = await run(PROGRAM, args, { env, cwd: folder, maxBuffer: 2 ** 28 }).then(
      () => '',
      (error: unknown) => {
        const { stdout, stderr } = Output.parse(error);
        return stdout + stderr;
      },
    );
    const calls = await readFile(har, 'utf8').catch(() => {
      throw new Error(`schemathesis did not begin:\n${failures}`);
    });
    const { log } = Har.parse(JSON.parse(calls));
    const exchanges = log.entries.map(({ request, response }) => ({
      ...{ method: request.method, status: response.status },
      path: new URL(request.url).pathname,
    }));
    return { failures, exchanges };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const Output = z.object({ stdout: z.string(), stderr: z.string() });
