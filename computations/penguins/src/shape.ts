/** Checks of what comes from outside: small ones, so that a node has started before a library would have loaded. */

/** A JSON object with exactly these keys; `what` names it in errors. */
export function asObject(value: unknown, what: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} must be a JSON object`);
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new Error(`${what} must not have the key ${JSON.stringify(unknown)}`);
  const missing = keys.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) throw new Error(`${what} lacks the key ${JSON.stringify(missing)}`);
  return { ...value };
}

export function asArray(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`${what} must be a list`);
  return value;
}

export function asText(value: unknown, what: string, pattern = /./): string {
  if (typeof value !== 'string' || !pattern.test(value))
    throw new Error(`${what} is not acceptable: ${pattern.source}`);
  return value;
}

export function asNumber(value: unknown, what: string, minimum = -Infinity, maximum = Infinity): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < minimum || value > maximum)
    throw new Error(`${what} must be a number from ${minimum} to ${maximum}`);
  return value;
}

export function asInteger(value: unknown, what: string, minimum: number, maximum: number): number {
  if (!Number.isInteger(value)) throw new Error(`${what} must be a whole number`);
  return asNumber(value, what, minimum, maximum);
}

export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${what} is not JSON`);
  }
}
