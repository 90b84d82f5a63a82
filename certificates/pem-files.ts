/** PEM files that an operator names: one that cannot be used is said by its path. */
import { readFile } from 'node:fs/promises';

/** @throws Error */
export async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** What `read` makes of the content of the file at `path`. @throws Error */
export function tryTo<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${path} is not ${what} (PEM).`, { cause: error });
  }
}
