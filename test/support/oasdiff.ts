/** oasdiff, which tells what of an API's description breaks programs that were written against an older one. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const VERSION = 'v1.37.0';
const PROGRAM = join(homedir(), '.cache/muster', `oasdiff-${VERSION}`);
/** What it does not hold for breaking, and we do: programs may read what need not be there. */
const STRICTER = 'response-optional-property-removed err\n';
const run = promisify(execFile);

/** Builds it where it is not there yet; about a minute. */
export async function installOasdiff(): Promise<void> {
  if (existsSync(PROGRAM)) return;
  const folder = await mkdtemp(join(tmpdir(), 'muster-oasdiff-'));
  const env = { ...process.env, GOBIN: folder };
  await run('go', ['install', '-ldflags', '-s -w', `github.com/oasdiff/oasdiff@${VERSION}`], { env });
  await mkdir(dirname(PROGRAM), { recursive: true });
  // Into its place at once, for others may look for it meanwhile.
  const copy = `${PROGRAM}.${process.pid}`;
  await copyFile(join(folder, 'oasdiff'), copy);
  await rename(copy, PROGRAM);
  await rm(folder, { recursive: true, force: true });
}

const Breaks = z.array(z.object({ id: z.string(), text: z.string(), operationId: z.string().optional() }));

/** What breaks, in words; nothing: whoever works with `before` works with `after`. */
export async function whatBreaks(before: object, after: object): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-oasdiff-'));
  try {
    const file = async (name: string, content: string) => {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    };
    const { stdout } = await run(
      PROGRAM,
      [
        ...['breaking', '--format', 'json', '--severity-levels', await file('levels', STRICTER)],
        await file('before.json', JSON.stringify(before)),
        await file('after.json', JSON.stringify(after)),
      ],
      { maxBuffer: 2 ** 28 },
    );
    return Breaks.parse(JSON.parse(stdout)).map(({ operationId = '', text }) => `${operationId}: ${text}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
