/**
 * What may be in a kit, and how much: one set of rules for those who pack and those who unpack. A kit comes from a
 * computation's code and is unpacked on another institution's machine, so names are held to what every system reads
 * in the same way. Pure.
 */

export interface KitLimits {
  entries: number;
  /** Bytes of all files, unpacked. */
  totalBytes: number;
  /** Unpacked bytes for each byte of the zip. */
  ratio: number;
}

export const KIT_LIMITS: KitLimits = { entries: 20_000, totalBytes: 16 * 2 ** 30, ratio: 200 };

/** Below this a kit may be as compressible as it likes: it fills no disk. */
const RATIO_FLOOR_BYTES = 64 * 2 ** 20;
const MAX_NAME_BYTES = 1024;
const MAX_SEGMENT_BYTES = 255;

/** What a zip says of one of its entries. */
export interface KitEntry {
  /** Folders end with `/`. */
  name: string;
  size: number;
  /** The Unix mode, 0 where the zip gives none. */
  mode: number;
}

const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const FOLDER = 0o040000;

const withoutSlash = (name: string): string => (name.endsWith('/') ? name.slice(0, -1) : name);
export const isFolder = (entry: KitEntry): boolean => entry.name.endsWith('/');

/** Why a name may not be in a kit, or undefined where it may. */
export function nameProblem(name: string): string | undefined {
  if (name === '' || name === '/') return 'has no name';
  if (/[\p{Cc}\p{Cs}]/u.test(name)) return 'has a control character or a broken one in its name';
  if (name.includes('\\')) return 'has a backslash in its name';
  if (name.startsWith('/')) return 'has an absolute path';
  if (/^[A-Za-z]:/.test(name)) return 'has a drive letter';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return 'has too long a name';
  const segments = withoutSlash(name).split('/');
  if (segments.includes('..')) return 'leads out of the kit';
  if (segments.some((segment) => segment === '' || segment === '.'))
    return 'has an empty or . step in its path';
  if (segments.some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES))
    return 'has too long a name';
  return undefined;
}

/** Why entries may not make a kit, naming the first offender, or undefined where they may. */
export function entriesProblem(entries: readonly KitEntry[], limits: KitLimits): string | undefined {
  if (entries.length > limits.entries) return `it has more than ${limits.entries} entries`;
  const paths = new Set<string>();
  const foldersNeeded = new Set<string>();
  const files = new Set<string>();
  for (const entry of entries) {
    const path = withoutSlash(entry.name);
    const problem = entryProblem(entry) ?? (paths.has(path) ? 'is there twice' : undefined);
    if (problem !== undefined) return `${JSON.stringify(entry.name)} ${problem}`;
    paths.add(path);
    if (!isFolder(entry)) files.add(path);
    for (const folder of foldersAbove(path)) foldersNeeded.add(folder);
  }
  const both = [...files].find((path) => foldersNeeded.has(path));
  return both === undefined ? undefined : `${JSON.stringify(both)} is a file and has entries below it`;
}

/** Why entries are too much to unpack from a zip of `zipBytes`, or undefined where they are not. */
export function sizeProblem(
  entries: readonly KitEntry[],
  zipBytes: number,
  limits: KitLimits,
): string | undefined {
  const total = entries.reduce((sum, entry) => sum + entry.size, 0);
  if (total > limits.totalBytes) return `its files hold more than ${limits.totalBytes} bytes`;
  if (total > RATIO_FLOOR_BYTES && total > zipBytes * limits.ratio)
    return `its files hold more than ${limits.ratio} times the bytes of the zip`;
  return undefined;
}

function entryProblem(entry: KitEntry): string | undefined {
  const problem = nameProblem(entry.name);
  if (problem !== undefined) return problem;
  const type = entry.mode & FILE_TYPE;
  if (type !== 0 && type !== REGULAR && type !== FOLDER) return 'is a link or a special file';
  if (type !== 0 && (type === FOLDER) !== isFolder(entry))
    return 'is a folder by its name or its mode, not by both';
  if (isFolder(entry) && entry.size !== 0) return 'is a folder with content';
  return undefined;
}

function* foldersAbove(path: string): Generator<string> {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    yield path.slice(0, end);
}
