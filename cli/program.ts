/** The commands of `muster`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { packageRoot } from '../dev/package-root';
import { registerAccount } from './account';
import { registerAudit } from './audit';
import { registerCompletion } from './completion';
import { registerComputation } from './computation';
import { registerConsortium } from './consortium';
import { registerDemo } from './demo';
import { registerDev } from './dev';
import { EXIT_CODES } from './exit-codes';
import { registerEvents } from './events';
import { registerHealth } from './health';
import { registerLogin } from './login';
import { registerNotices } from './notices';
import { registerOperatorToken } from './operator-token';
import { registerPeople } from './people';
import { registerRun } from './run';
import { registerSession } from './session';
import { registerSite } from './site';
import { registerToken } from './token';
import { registerTry } from './try';
import { registerWaiting } from './waiting';

const PackageJson = z.object({ version: z.string(), description: z.string() });

/** What is understood on the command line. */
export function createProgram(): Command {
  const { version, description } = PackageJson.parse(
    JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')),
  );
  const program = new Command('muster')
    .description(description)
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replace(/\s+/g, ' ')}\n`) });
  program.addHelpText('after', `\n${EXIT_CODES}`);
  registerLogin(program);
  registerAccount(program);
  registerWaiting(program);
  registerRun(program);
  registerConsortium(program);
  registerComputation(program);
  registerSite(program);
  registerPeople(program);
  registerToken(program);
  registerSession(program);
  registerNotices(program);
  registerEvents(program);
  registerAudit(program);
  registerHealth(program);
  registerTry(program);
  registerDemo(program);
  registerDev(program);
  registerOperatorToken(program);
  registerCompletion(program);
  return program;
}
