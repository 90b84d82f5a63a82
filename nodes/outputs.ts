/**
 * What a node left in its output folder, and which of its declared outputs are missing. The folder was written by
 * the computation, so nothing in it is trusted: links are not followed, and the answer is bounded whatever is there.
 */
import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import picomatch from 'picomatch';
import { OutputFile } from '../workflows/contract';
import { reclaim } from './reclaim';

export interface Outputs {
  /** At most 200 regular files: those that were declared first, each part in the order of the names. */
  files: OutputFile[];
  /** Declared globs that no file matches. */
  missing: string[];
}

const MAX_FILES = 200;
const MAX_ENTRIES = 100_000;

/** Looks through `folder` for files and for each of the `declared` globs, which are relative to it. */
export async function findOutputs(folder: string, declared: readonly string[]): Promise<Outputs> {
  await reclaim(folder);
  const globs = declared.map((glob) => ({ glob, matches: picomatch(glob), found: false }));
  const wanted = new SmallestNames();
  const others = new SmallestNames();
  for await (const name of regularFiles(folder)) {
    const matching = globs.filter(({ matches }) => matches(name));
    for (const glob of matching) glob.found = true;
    (matching.length > 0 ? wanted : others).add(name);
  }
  const names = [...wanted.list(), ...others.list()].slice(0, MAX_FILES);
  return {
    files: (await Promise.all(names.map((name) => describe(folder, name)))).filter(
      (file) => file !== undefined,
    ),
    missing: globs.filter(({ found }) => !found).map(({ glob }) => glob),
  };
}

/** Keeps only as many names as can be answered, so that a folder of a million files costs no memory. */
class SmallestNames {
  private names: string[] = [];

  add(name: string): void {
    this.names.push(name);
    if (this.names.length >= 2 * MAX_FILES) this.names = this.list();
  }

  list(): string[] {
    return this.names.toSorted().slice(0, MAX_FILES);
  }
}

async function* regularFiles(root: string): AsyncGenerator<string> {
  const folders = [''];
  let entries = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of entriesOf(join(root, folder))) {
      if (++entries > MAX_ENTRIES) return;
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(name);
      else if (entry.isFile()) yield name;
    }
  }
}

async function* entriesOf(folder: string): AsyncGenerator<Dirent> {
  try {
    if ((await lstat(folder)).isDirectory()) yield* await opendir(folder);
  } catch {
    // Gone, or closed to us by the computation: what cannot be read is not an output.
  }
}

async function describe(folder: string, name: string): Promise<OutputFile | undefined> {
  const found = await lstat(join(folder, name)).catch(() => undefined);
  return OutputFile.safeParse({ name, size: found?.size }).data;
}
