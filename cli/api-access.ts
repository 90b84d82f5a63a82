/**
 * Finds the central API that a command is to speak with, and who speaks: as the command line says, the environment, a local stack
 * that runs here, or the last `muster login`.
 */
import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import { createMusterApi, type MusterApi } from '../client';
import { rememberTags, type Tags } from '../client/etags';
import { loadSecrets, readStackFile, statePaths } from '../dev/state';
import { mintToken } from '../dev/tokens';
import { isRunning } from '../nodes/process-table';
import { addressOf, readCredentials } from './credentials';
import { UsageError } from './usage-error';

/** The options of {@link withApiOptions}, as commander gives them. */
export interface ApiOptions {
  /** The state folder of a local stack; nothing else is looked at if it is there. */
  state?: string;
  /** The address of an API that one has logged in to. */
  api?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_STATE = '.muster';
/** Nobody keeps the token. */
const TOKEN_LIFETIME = '12h';

export const API_OPTION = [
  '--api <url>',
  'the API to speak with, of those that one has logged in to',
] as const;

/** Adds the options of a command that speaks with the central API. */
export function withApiOptions(command: Command): Command {
  return command
    .addOption(new Option(...API_OPTION))
    .addOption(new Option('--state <dir>', 'the folder of a local stack, as whose administrator to speak'));
}

/** Where an API is, and what is shown there. */
interface Place {
  url: string;
  token: string;
}

/**
 * The API that the person means.
 * @throws UsageError that says how to name one
 */
export async function openApi(where: ApiOptions, env: Environment = process.env): Promise<MusterApi> {
  return createMusterApi(await placeOf(where, env));
}

/** The same, with the ETags of what it answers. */
export async function openApiWithTags(
  where: ApiOptions,
  env: Environment = process.env,
): Promise<{ api: MusterApi; tagOf: Tags['tagOf'] }> {
  const place = await placeOf(where, env);
  const tags = rememberTags();
  const root = new URL(place.url).pathname.replace(/\/$/, '');
  return {
    api: createMusterApi({ ...place, fetch: tags.fetch }),
    tagOf: (path) => tags.tagOf(root + path),
  };
}

async function placeOf({ state, api }: ApiOptions, env: Environment): Promise<Place> {
  if (state !== undefined && api !== undefined)
    throw new UsageError('--api and --state each name an API: leave one out.');
  if (state !== undefined) {
    const place = await placeOfStack(state);
    if (place !== undefined) return place;
    throw new UsageError(`No stack is running in ${state}: start one with \`muster dev\`.`);
  }
  const { MUSTER_API_URL = '', MUSTER_API_TOKEN = '' } = env;
  const named = api ?? (MUSTER_API_URL === '' ? undefined : MUSTER_API_URL);
  if (named !== undefined && api === undefined && MUSTER_API_TOKEN !== '')
    return { url: addressOf(named), token: MUSTER_API_TOKEN };
  if (named !== undefined) return placeOfLogin(addressOf(named), env);
  const { current } = await readCredentials(env);
  const here = await placeOfStack(DEFAULT_STATE);
  if (here !== undefined) return here;
  if (current !== undefined) return placeOfLogin(current, env);
  throw new UsageError(
    `Which API? \`muster login ADDRESS\` once, or start a stack here with \`muster dev\`, or set MUSTER_API_URL and MUSTER_API_TOKEN.`,
  );
}

async function placeOfLogin(url: string, env: Environment): Promise<Place> {
  const { logins } = await readCredentials(env);
  const login = Object.hasOwn(logins, url) ? logins[url] : undefined;
  if (login !== undefined) return { url, token: login.token };
  throw new UsageError(`You have not logged in to ${url}: \`muster login ${url}\`, or set MUSTER_API_TOKEN.`);
}

async function placeOfStack(state: string): Promise<Place | undefined> {
  const paths = statePaths(state);
  const stack = await readStackFile(paths);
  if (stack === undefined || !(await isRunning(stack.supervisor))) return undefined;
  const secrets = await loadSecrets(paths);
  const token = await mintToken(secrets.api, { role: 'admin', sub: userInfo().username }, TOKEN_LIFETIME);
  return { url: stack.api.url, token };
}
