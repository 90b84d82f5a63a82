/** One text for one JSON value, so that whoever has the value has its digest. */
import { createHash } from 'node:crypto';

/** `value` as JSON, without spaces, the keys of each object in order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}

/** SHA-256 of {@link canonicalJson}, lower-case hex. */
export const digestOfJson = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex');

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
