/** Where a program of this machine is: also where servers are kept that are on nobody's PATH. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const POSTGRES = '/usr/lib/postgresql';

export async function findProgram(name: string): Promise<string | undefined> {
  const versions = await readdir(POSTGRES).catch(() => []);
  const more = ['/usr/sbin', '/usr/local/sbin', ...versions.map((version) => join(POSTGRES, version, 'bin'))];
  const places = [...(process.env.PATH ?? '').split(delimiter), ...more];
  return places.map((place) => join(place, name)).find((path) => existsSync(path));
}
