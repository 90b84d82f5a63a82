/** Publishes what became of the experiments: docs/reliability.json, and the page that is made of it. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { packageRoot } from '../../dev/package-root';
import { page } from './reliability-page';
import { ReliabilityRecord, renewed, type Results } from './reliability-record';

const run = promisify(execFile);

/** Writes down what was measured, in the place of what was there of the same, and the page anew. */
export async function renewReliability(results: Results, today = new Date()): Promise<void> {
  const docs = join(packageRoot(), 'docs');
  const recordPath = join(docs, 'reliability.json');
  const before = ReliabilityRecord.parse(JSON.parse(await readFile(recordPath, 'utf8')));
  const measured = { on: today.toISOString().slice(0, 10), commit: await commit() };
  const record = renewed(before, results, measured);
  await write(recordPath, JSON.stringify(record));
  await write(join(docs, 'reliability.md'), page(record));
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
}

async function commit(): Promise<string> {
  const git = (...args: string[]) =>
    run('git', args, { cwd: packageRoot() }).then(({ stdout }) => stdout.trim());
  try {
    const changed = await git(
      'status',
      '--porcelain',
      '--untracked-files=no',
      '--',
      '.',
      ':!docs/reliability.*',
    );
    return `${await git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}
