/**
 * Finding programs that the local stack needs: on PATH, in our cache, or made anew. A program is looked for in
 * several ways, one after the other; when all fail, the error names every way and why it failed.
 */
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';

/** A program of a fixed version. */
export interface Program {
  name: string;
  version: string;
}

/** Somebody waits for a program: how to tell what is going on, and whether it is still wanted. */
export interface Waiting {
  progress: (text: string) => void;
  signal?: AbortSignal | undefined;
}

/** One way to come by something: answers with it, or throws an error whose message says why it cannot. */
export interface Way<T> {
  name: string;
  take(waiting: Waiting): Promise<T>;
}

/** Nothing worked; the message names every way. */
export class NotFoundError extends Error {
  override name = 'NotFoundError';
}

/** The first of `ways` that works. */
export async function firstThatWorks<T>(
  what: string,
  ways: readonly Way<T>[],
  advice: string,
  waiting: Waiting,
): Promise<T> {
  const failures: string[] = [];
  for (const way of ways) {
    try {
      return await way.take(waiting);
    } catch (error) {
      waiting.signal?.throwIfAborted();
      failures.push(`  - ${way.name}: ${reason(error)}`);
    }
  }
  throw new NotFoundError(
    [`${what} could not be found, and every way to get it failed:`, ...failures, advice].join('\n'),
  );
}

/** A program on PATH, if there is one. */
export async function findOnPath(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  for (const folder of (env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    const file = join(folder, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

/** {@link findOnPath} as a way. */
export function onPath(name: string, env: NodeJS.ProcessEnv = process.env): Way<string> {
  return {
    name: `${name} on PATH`,
    async take() {
      const file = await findOnPath(name, env);
      if (file === undefined) throw new Error('not there');
      return file;
    },
  };
}

/** Where a program of this version is kept once it has been made. */
export function cachePath(program: Program, env: NodeJS.ProcessEnv = process.env): string {
  const root = env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(root, 'muster', `${program.name}-${program.version}`, program.name);
}

/** A program that an earlier run left in the cache. */
export function inCache(program: Program, env: NodeJS.ProcessEnv = process.env): Way<string> {
  const file = cachePath(program, env);
  return {
    name: 'the cache',
    async take() {
      if (await isExecutable(file)) return file;
      throw new Error(`no ${file}`);
    },
  };
}

/**
 * A program made by `make`, which leaves it in the folder it is given and answers with its path. It appears in the
 * cache whole or not at all, and whoever makes the same one at the same time is not disturbed.
 */
export function made(
  name: string,
  program: Program,
  make: (folder: string, waiting: Waiting) => Promise<string>,
  env: NodeJS.ProcessEnv = process.env,
): Way<string> {
  return {
    name,
    async take(waiting) {
      const target = cachePath(program, env);
      const shelf = dirname(target);
      await mkdir(dirname(shelf), { recursive: true });
      const workshop = await mkdtemp(`${shelf}.making-`);
      try {
        const parcel = join(workshop, 'parcel');
        await mkdir(parcel);
        await rename(await make(workshop, waiting), join(parcel, program.name));
        await rename(parcel, shelf).catch(async (error: unknown) => {
          if (!(await isExecutable(target))) throw error;
        });
        return target;
      } finally {
        await rm(workshop, { recursive: true, force: true });
      }
    },
  };
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
