/** Who one is at which API: personal tokens that `muster login` keeps in a file that nobody else may read. */
import { join } from 'node:path';
import { homedir } from 'node:os';
import { z } from 'zod';
import { PRIVATE, readIfThere, writeWhole } from '../dev/files';
import { UsageError } from './usage-error';

const Login = z.object({
  token: z.string(),
  /** By which the token is ended; absent for one that was made elsewhere. */
  tokenId: z.string().optional(),
  /** Whose it is, in words. */
  who: z.string(),
});
export type Login = z.output<typeof Login>;

const File = z.object({
  /** The address that is meant where none is named. */
  current: z.string().optional(),
  logins: z.record(z.string(), Login),
});
export type Credentials = z.output<typeof File>;

type Environment = Readonly<Record<string, string | undefined>>;

export function credentialsFile(env: Environment = process.env): string {
  const { XDG_CONFIG_HOME: config = '' } = env;
  return join(config === '' ? join(homedir(), '.config') : config, 'muster', 'credentials.json');
}

/** @throws UsageError when the file is not what it should be */
export async function readCredentials(env?: Environment): Promise<Credentials> {
  const file = credentialsFile(env);
  const text = await readIfThere(file);
  if (text === undefined) return { logins: {} };
  try {
    return File.parse(JSON.parse(text));
  } catch {
    throw new UsageError(`${file} cannot be understood: remove it and \`muster login\` again.`);
  }
}

export async function writeCredentials(credentials: Credentials, env?: Environment): Promise<void> {
  await writeWhole(credentialsFile(env), `${JSON.stringify(credentials, undefined, 2)}\n`, PRIVATE);
}

/**
 * An address as it is kept: without what comes after it.
 * @throws UsageError
 */
export function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`${text} is not an address such as https://muster.example.org.`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
