/** Finds the central API that a command is to speak with: the one that the environment names, or a local stack's. */
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import { createCentralApi, type CentralApi } from '../client';
import type { Fetch } from '../client/central-api';
import { createStoreFetch } from '../client/site-transport';
import { loadSecrets, readStackFile, statePaths } from '../dev/state';
import { mintToken } from '../dev/tokens';
import { isRunning } from '../nodes/process-table';
import { UsageError } from './usage-error';

/** The options of {@link withApiOptions}, as commander gives them. */
export interface ApiOptions {
  /** The state folder of a local stack; the environment is not looked at if it is there. */
  state?: string;
}

const DEFAULT_STATE = '.muster';
/** Nobody keeps the token. */
const TOKEN_LIFETIME = '12h';

/** Adds the options of a command that speaks with the central API. */
export function withApiOptions(command: Command): Command {
  const where = 'folder of the local stack to use, unless MUSTER_API_URL and MUSTER_API_TOKEN name an API';
  return command.addOption(new Option('--state <dir>', where).default(undefined, DEFAULT_STATE));
}

/**
 * The API that the person means.
 * @throws UsageError that says how to name one
 */
export async function openApi(
  { state }: ApiOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<CentralApi> {
  return (state === undefined ? apiOfEnvironment(env) : undefined) ?? apiOfStack(state ?? DEFAULT_STATE);
}

function apiOfEnvironment(env: Readonly<Record<string, string | undefined>>): CentralApi | undefined {
  const { MUSTER_API_URL: url = '', MUSTER_API_TOKEN: token = '' } = env;
  if (url === '') return undefined;
  if (!/^https?:/.test(url) || !URL.canParse(url))
    throw new UsageError(`MUSTER_API_URL ${url} is not an address such as http://127.0.0.1:7400.`);
  if (token === '')
    throw new UsageError('MUSTER_API_URL is set: set MUSTER_API_TOKEN too; `muster token` makes one.');
  return createCentralApi({ url, token });
}

/** How results are fetched from the store of the API that the person means. */
export async function openStore(
  { state }: ApiOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Fetch> {
  const isStack = state !== undefined || (env.MUSTER_API_URL ?? '') === '';
  const stack = isStack ? await readStackFile(statePaths(state ?? DEFAULT_STATE)) : undefined;
  const ca = stack?.objectStore.ca;
  return createStoreFetch(ca && (await readFile(ca, 'utf8')), {});
}

async function apiOfStack(state: string): Promise<CentralApi> {
  const paths = statePaths(state);
  const stack = await readStackFile(paths);
  if (stack === undefined || !(await isRunning(stack.supervisor))) {
    throw new UsageError(
      `No stack is running in ${state}: start one with \`muster dev\`, name its folder with --state, ` +
        'or set MUSTER_API_URL and MUSTER_API_TOKEN.',
    );
  }
  const secrets = await loadSecrets(paths);
  const token = await mintToken(secrets.api, { role: 'admin', sub: userInfo().username }, TOKEN_LIFETIME);
  return createCentralApi({ url: stack.api.url, token });
}
