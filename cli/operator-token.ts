/** `muster operator-token`: makes an access token, for whoever holds the central API's secret. */
import { Option, type Command } from 'commander';
import { mintToken } from '../dev/tokens';
import { AccessClaims } from '../workflows/api-contract';
import { UsageError } from './usage-error';

interface TokenOptions {
  role: string;
  sub: string;
  expires: string;
}

const ROLES = ['admin', 'central', 'gateway'];
const SECRET_LENGTH = 32;

/** Adds `muster operator-token`. */
export function registerOperatorToken(program: Command): void {
  program
    .command('operator-token')
    .description('make a token for an operator or a service, with the secret in MUSTER_API_SECRET')
    .addOption(new Option('--role <role>', 'what its bearer may do').choices(ROLES).makeOptionMandatory())
    .requiredOption('--sub <name>', "who bears it: an operator's name, or what the worker is called")
    .option('--expires <time>', 'how long it is good for, such as 12h or 90d', '90d')
    .action(token);
}

async function token({ role, sub, expires }: TokenOptions): Promise<void> {
  const secret = process.env.MUSTER_API_SECRET ?? '';
  if (secret.length < SECRET_LENGTH) {
    throw new UsageError(
      `MUSTER_API_SECRET is not set to the central API's secret (${SECRET_LENGTH} characters or more).`,
    );
  }
  if (!/^\d+[hd]$/.test(expires))
    throw new UsageError(`--expires ${expires} is not a time such as 12h or 90d.`);
  const claims = AccessClaims.parse({ role, sub });
  process.stdout.write(`${await mintToken(secret, claims, expires)}\n`);
}
