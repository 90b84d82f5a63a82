/** `muster dev`: the local stack in the foreground, until Ctrl-C. */
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { relative } from 'node:path';
import type { Command } from 'commander';
import { openStack, type Stack } from '../dev/stack';
import { INTERRUPTED } from './exit-codes';
import { listenForInterrupts } from './interrupts';
import { showStackProgress } from './stack-progress';

const PAGE_TOKEN_LIFETIME = '7d';

/** Adds `muster dev`. */
export function registerDev(program: Command): void {
  program
    .command('dev')
    .description('start Temporal, an object store, the central API and a central worker on this machine')
    .option('--state <dir>', 'folder for data, logs and secrets', '.muster')
    .action(dev);
}

async function dev({ state }: { state: string }): Promise<void> {
  const { asked, forced } = listenForInterrupts();
  // Whatever still runs is killed when this process exits.
  forced.addEventListener('abort', () => process.exit(INTERRUPTED));
  const progress = showStackProgress(process.stdout);
  try {
    const stack = await openStack({ state, progress, signal: asked });
    process.stdout.write(await describe(stack));
    if (!asked.aborted) await once(asked, 'abort');
    process.stdout.write('Stopping; press Ctrl-C again to stop at once.\n');
    await stack.stop();
  } finally {
    progress.close();
  }
}

async function describe(stack: Stack): Promise<string> {
  const { api, temporal, paths } = stack;
  const token = await stack.mint({ role: 'admin', sub: userInfo().username }, PAGE_TOKEN_LIFETIME);
  return [
    '',
    `Page             ${api.url}/#token=${token}`,
    ...(temporal.uiUrl === undefined ? [] : [`Temporal Web UI  ${temporal.uiUrl}`]),
    `API reference    ${api.url}/reference`,
    `Logs             ${relative('', paths.logs)}`,
    '',
    'Next, in another terminal: npx muster demo',
    'Stop everything with Ctrl-C.',
    '',
  ].join('\n');
}
