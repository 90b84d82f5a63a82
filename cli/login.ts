/** `muster login | logout | whoami`: who one is at a central API, kept as a personal token. */
import { hostname } from 'node:os';
import { Option, type Command } from 'commander';
import { ApiProblem, createMusterApi, type MusterApi } from '../client';
import { SCOPES, type Me, type Scope } from '../workflows/people-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { openAsBrowser } from './browser-session';
import { addressOf, readCredentials, writeCredentials, type Login } from './credentials';
import { examples } from './help';
import { JSON_OPTION, print, type JsonOption } from './output';
import { createPrompt } from './prompt';
import { plain } from './progress';
import { UsageError } from './usage-error';

interface LoginOptions {
  email?: string;
  token?: string;
  scope: Scope;
  days: string;
}

const DAY_MS = 86_400_000;
/** How long a token is good that is kept. */
const DAYS = 90;

/** Adds `muster login`, `logout` and `whoami`. */
export function registerLogin(program: Command): void {
  examples(
    program
      .command('login')
      .description('sign in to a central API, and keep a personal token for it')
      .argument('[url]', "the API's address (default: MUSTER_API_URL)")
      .option('--email <email>', 'who you are; without it, you are asked')
      .option(
        '--token <token>',
        'a personal token that you have made on the page; `-` reads it from standard input',
      )
      .addOption(new Option('--scope <scope>', 'what the token is good for').choices(SCOPES).default('all'))
      .option('--days <days>', 'how long the token is good for', String(DAYS))
      .action(login),
    [
      'muster login https://muster.example.org',
      'muster login https://muster.example.org --token - < token.txt',
    ],
  );
  program
    .command('logout')
    .description('end the personal token that is kept for an API')
    .argument('[url]', 'its address (default: the one that you logged in to last)')
    .action(logout);
  withApiOptions(program.command('whoami'))
    .description('show who you are, and what you may do')
    .option(...JSON_OPTION)
    .action(whoami);
}

async function login(named: string | undefined, options: LoginOptions): Promise<void> {
  const url = urlOf(named);
  const got = options.token === undefined ? await signIn(url, options) : await takeToken(url, options.token);
  await keep(url, got);
}

/**
 * The address of an API, as it was named or as the environment has it.
 * @throws UsageError
 */
export function urlOf(named: string | undefined): string {
  const { MUSTER_API_URL = '' } = process.env;
  const address = named ?? MUSTER_API_URL;
  if (address === '') throw new UsageError('Say where: `https://muster.example.org`, or MUSTER_API_URL.');
  return addressOf(address);
}

async function keep(url: string, login: Login): Promise<void> {
  const { logins } = await readCredentials();
  await writeCredentials({ current: url, logins: { ...logins, [url]: login } });
  process.stdout.write(`You are ${plain(login.who)} at ${url}.\n`);
}

async function takeToken(url: string, given: string): Promise<Login> {
  const token = given === '-' ? (await firstLine()).trim() : given;
  if (token === '') throw new UsageError('The token is empty.');
  return { token, who: nameOf(await createMusterApi({ url, token }).getMe()) };
}

async function firstLine(): Promise<string> {
  const prompt = createPrompt();
  try {
    return await prompt.ask('');
  } finally {
    prompt.close();
  }
}

async function signIn(url: string, { email, scope, days }: LoginOptions): Promise<Login> {
  const lifetime = Number(days);
  if (!Number.isInteger(lifetime) || lifetime < 1)
    throw new UsageError(`--days ${days} is not a number of days.`);
  const api = openAsBrowser(url);
  const { local, oidc } = await api.getSignInWays();
  if (!local)
    throw new UsageError(
      `One signs in there by ${plain(oidc?.name ?? 'a provider')}, in a browser: make a token at ${url}/me, and give it with --token.`,
    );
  const prompt = createPrompt();
  try {
    const who = email ?? (await prompt.ask('E-mail: '));
    const password = await prompt.askSecret('Password: ');
    const me = await api.signIn({ body: { email: who, password } });
    if (me.mustChangePassword)
      throw new UsageError(`Choose a password of your own first: \`muster password ${url}\`.`);
    return await exchange(api, me, { scope, lifetime });
  } finally {
    prompt.close();
  }
}

/** A token in place of the session of somebody who has just signed in. */
async function exchange(
  api: MusterApi,
  me: Pick<Me, 'name' | 'email'>,
  { scope, lifetime }: { scope: Scope; lifetime: number },
): Promise<Login> {
  const name = `muster on ${hostname()}`.slice(0, 120);
  const { token, id } = await api.createToken({
    body: { name, scope, expiresAt: Date.now() + lifetime * DAY_MS },
  });
  await api.signOut();
  return { token, tokenId: id, who: nameOf(me) };
}

/** Whoever has just signed in goes on by a token, as after `muster login`. */
export async function keepSignedIn(
  url: string,
  api: MusterApi,
  me: Pick<Me, 'name' | 'email'>,
): Promise<void> {
  await keep(url, await exchange(api, me, { scope: 'all', lifetime: DAYS }));
}

async function logout(named: string | undefined): Promise<void> {
  const { current, logins } = await readCredentials();
  const url = named === undefined ? current : addressOf(named);
  const login = url !== undefined && Object.hasOwn(logins, url) ? logins[url] : undefined;
  if (url === undefined || login === undefined) throw new UsageError('You are not logged in there.');
  const { [url]: _ended, ...others } = logins;
  await writeCredentials({ ...(current !== undefined && current !== url && { current }), logins: others });
  if (login.tokenId !== undefined) await end(createMusterApi({ url, token: login.token }), login.tokenId);
  process.stdout.write(`You are logged out of ${url}.\n`);
}

/** A token that is not good any more need not be ended. */
async function end(api: MusterApi, id: string): Promise<void> {
  try {
    await api.deleteToken({ path: { id } });
  } catch (error) {
    if (!(error instanceof ApiProblem) || (error.status !== 401 && error.status !== 403)) throw error;
    if (error.status === 403)
      process.stderr.write(
        'The token may not end itself: revoke it on the page, or with `muster token revoke`.\n',
      );
  }
}

async function whoami({ json, ...where }: ApiOptions & JsonOption): Promise<void> {
  const me = await (await openApi(where)).getMe();
  print(json, me, describeMe(me));
}

const nameOf = ({ name, email }: Pick<Me, 'name' | 'email'>) =>
  email === undefined || email === name ? name : `${name} (${email})`;

/** Who somebody is and what they may do, for people. */
export function describeMe(me: Pick<Me, 'name' | 'email' | 'admin' | 'consortia' | 'sites'>): string[] {
  const roles = Object.entries(me.consortia).map(([id, role]) => `  ${role} of the consortium ${id}`);
  const sites = me.sites.map((id) => `  administrator of the site ${id}`);
  const may = [...(me.admin ? ['  admin: may do everything'] : []), ...roles, ...sites];
  return [plain(nameOf(me)), ...(may.length > 0 ? may : ['  may see nothing yet'])];
}
