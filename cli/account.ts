/** `muster accept | password`: how one gets an account, and chooses its password, without a browser. */
import type { Command } from 'commander';
import type { LookAtInvitationResponses } from '../client/generated/types.gen';
import { openAsBrowser } from './browser-session';
import { addressOf } from './credentials';
import { examples } from './help';
import { keepSignedIn, urlOf } from './login';
import { createPrompt, type Prompt } from './prompt';
import { plain } from './progress';
import { UsageError } from './usage-error';

interface AcceptOptions {
  name?: string;
  as?: string;
}
type Look = LookAtInvitationResponses[200];

/** Adds both. */
export function registerAccount(program: Command): void {
  examples(
    program
      .command('accept')
      .description('accept an invitation, or set a password anew, by its link; then you are logged in')
      .argument('<link>', 'the link, in quotes')
      .option('--name <name>', 'what you are called; without it, you are asked')
      .option('--as <email>', 'get what it gives for the account that you have')
      .action(accept),
    ["muster accept 'https://muster.example.org/invitation#code'"],
  );
  program
    .command('password')
    .description('change your password; you are signed out everywhere')
    .argument('[url]', "the API's address (default: MUSTER_API_URL)")
    .option('--email <email>', 'who you are; without it, you are asked')
    .action(changePassword);
}

async function accept(link: string, options: AcceptOptions): Promise<void> {
  const { url, code } = readLink(link);
  const api = openAsBrowser(url);
  const look = await api.lookAtInvitation({ body: { code } });
  process.stderr.write(
    describeInvitation(look)
      .map((line) => `${line}\n`)
      .join(''),
  );
  const prompt = createPrompt();
  try {
    if (options.as !== undefined)
      await api.signIn({ body: { email: options.as, password: await prompt.askSecret('Password: ') } });
    const body = options.as === undefined ? await newAccount(prompt, look, options.name) : {};
    await keepSignedIn(url, api, await api.acceptInvitation({ body: { code, ...body } }));
  } finally {
    prompt.close();
  }
}

/**
 * Where a link leads, and what it carries.
 * @throws UsageError
 */
export function readLink(link: string): { url: string; code: string } {
  const [, address = '', code = ''] = /^(.*)\/invitation#(.+)$/s.exec(link.trim()) ?? [];
  if (code === '')
    throw new UsageError(
      'It is not the link of an invitation, such as https://muster.example.org/invitation#code.',
    );
  return { url: addressOf(address), code: decodeURIComponent(code) };
}

function describeInvitation({ by, resets, admin, consortia, sites }: Look): string[] {
  if (resets) return ['You set your password anew.'];
  const gifts = [
    ...(admin ? ['do everything, as an administrator'] : []),
    ...Object.entries(consortia).map(([id, role]) => `be ${role} of the consortium ${id}`),
    ...sites.map((id) => `administer the site ${id}`),
  ];
  return [
    `${plain(by)} invites you. With it you may:`,
    ...(gifts.length > 0 ? gifts : ['have an account']).map((gift) => `  ${gift}`),
  ];
}

async function newAccount(prompt: Prompt, { resets, email }: Look, named: string | undefined) {
  if (resets) return { password: await newPassword(prompt) };
  const name = named ?? (await prompt.ask('Your name: '));
  const asked = email === undefined ? { email: await prompt.ask('E-mail: ') } : {};
  return { name, ...asked, password: await newPassword(prompt) };
}

async function newPassword(prompt: Prompt): Promise<string> {
  const password = await prompt.askSecret('New password: ');
  if ((await prompt.askSecret('The same once more: ')) === password) return password;
  throw new UsageError('These are two different passwords.');
}

async function changePassword(named: string | undefined, { email }: { email?: string }): Promise<void> {
  const url = urlOf(named);
  const api = openAsBrowser(url);
  const prompt = createPrompt();
  try {
    const who = email ?? (await prompt.ask('E-mail: '));
    const current = await prompt.askSecret('Password until now: ');
    await api.signIn({ body: { email: who, password: current } });
    await api.changePassword({ body: { current, next: await newPassword(prompt) } });
    await api.signOut();
    process.stdout.write('Your password is changed.\n');
  } finally {
    prompt.close();
  }
}
