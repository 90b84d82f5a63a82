/** Lists results, and downloads them: each is what the run says it is, or it is not there. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open as openFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ResultList } from '../workflows/api-contract';
import { messageOf } from './message-of';

type Result = Omit<ResultList['results'][number], 'url'>;
/** The content of the result of that name, as it comes. */
type Open = (name: string) => Promise<ReadableStream<Uint8Array>>;

/** A line for each: its size, the begin of its digest, its name. */
export function describeResults(results: readonly Result[]): string[] {
  const width = Math.max(0, ...results.map(({ size }) => String(size).length));
  return results.map(
    ({ name, size, sha256 }) => `${String(size).padStart(width)}  ${sha256}  ${printable(name)}`,
  );
}

/**
 * Downloads `results` into `folder`. What is there already is left as it is.
 * @throws Error that names the first file that cannot be had; nothing is overwritten
 */
export async function downloadResults(
  results: readonly Result[],
  folder: string,
  { open, say }: { open: Open; say: (line: string) => void },
): Promise<void> {
  const root = resolve(folder);
  const files = results.map((result) => ({ ...result, path: placeOf(root, result.name) }));
  // Before anything is downloaded: half of two runs' results in one folder help nobody.
  const missing: typeof files = [];
  for (const file of files) {
    const there = await digestOf(file.path);
    if (there === undefined) missing.push(file);
    else if (there.sha256 !== file.sha256)
      throw new Error(`${file.path} is there with other content: name another folder with --out.`);
  }
  for (const file of files) {
    if (missing.includes(file)) await download(file, open);
    say(file.path);
  }
}

/** Names come from a computation: none leads out of the folder. */
function placeOf(root: string, name: string): string {
  const path = resolve(root, name);
  const isSafe = path.startsWith(root.endsWith(sep) ? root : root + sep) && !/[\p{Cc}\\]/u.test(name);
  if (!isSafe) throw new Error(`The result ${JSON.stringify(name)} has a name that leads out of the folder.`);
  return path;
}

async function download({ name, size, sha256, path }: Result & { path: string }, open: Open): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = join(dirname(path), `.${randomUUID()}.part`);
  try {
    const digest = new Digest();
    const file = await openFile(part, 'wx', 0o600);
    try {
      await pipeline(await open(name), digest, file.createWriteStream());
    } finally {
      await file.close();
    }
    if (digest.size !== size || digest.sha256() !== sha256) throw new Error('it is not what the run left');
    await rename(part, path);
  } catch (error) {
    throw new Error(`The result ${JSON.stringify(name)} could not be downloaded: ${messageOf(error)}.`, {
      cause: error,
    });
  } finally {
    await rm(part, { force: true });
  }
}

/** Passes bytes on, and knows what they were. */
class Digest extends Transform {
  size = 0;
  private readonly hash = createHash('sha256');

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error: null, chunk: Buffer) => void,
  ): void {
    this.size += chunk.length;
    this.hash.update(chunk);
    done(null, chunk);
  }

  sha256(): string {
    return this.hash.digest('hex');
  }
}

async function digestOf(path: string): Promise<{ sha256: string } | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isFile()) return { sha256: '' };
  const digest = new Digest();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  await pipeline(createReadStream(path), digest, nowhere);
  return { sha256: digest.sha256() };
}

const printable = (name: string) => name.replace(/\p{Cc}/gu, '?');
