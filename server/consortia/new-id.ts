/** Ids for consortia that nobody gave one. */
import { randomBytes } from 'node:crypto';

const LONGEST = 40;
const SUFFIX_BYTES = 3;
const TRIES = 5;

/** The name as an id may be written; where that is taken, with something after it. */
export function idsFor(name: string): string[] {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{Mark}/gu, '')
    .replace(/[^a-z0-9]+/g, '-');
  const trimmed = (text: string, length: number) => text.slice(0, length).replace(/^-+|-+$/g, '');
  const suffixes = Array.from({ length: TRIES }, () => randomBytes(SUFFIX_BYTES).toString('hex'));
  const base = trimmed(slug, LONGEST) || 'consortium';
  const short = trimmed(base, LONGEST - 1 - 2 * SUFFIX_BYTES);
  return [base, ...suffixes.map((suffix) => `${short}-${suffix}`)];
}
