/**
 * YAML that people wrote, taken in with bounds: whatever is in the text, there is a value that can be walked through, or one
 * line that says what is wrong, and where.
 */
import { LineCounter, isScalar, parseDocument, visit, type Document } from 'yaml';

/** In bytes; what people write by hand is a hundredth of it. */
export const LONGEST_YAML = 256 * 1024;
const DEEPEST = 64;
/** Aliases can make much of little. */
const MOST_VALUES = 100_000;
const LONGEST_MESSAGE = 300;

/** What is wrong with a text; `at` is the line and column, as `3:14`, where that is known. */
export class YamlProblem extends Error {
  constructor(
    message: string,
    readonly at?: string,
  ) {
    super(shortened(message));
  }
}

export interface YamlText {
  value: unknown;
  /** Line and column of what is at `path` in the value, or of the innermost part of the path that is there. */
  placeOf: (path: readonly PropertyKey[]) => string | undefined;
}

/** @throws YamlProblem */
export function readYaml(text: string): YamlText {
  if (new TextEncoder().encode(text).length > LONGEST_YAML)
    throw new YamlProblem(`it is longer than ${LONGEST_YAML / 1024} KiB`);
  const lines = new LineCounter();
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const document = guarded(() =>
    // Looking for equal keys is done below: the library compares each with each.
    parseDocument(text, {
      ...{ lineCounter: lines, prettyErrors: false, logLevel: 'silent', uniqueKeys: false },
      ...{ stringKeys: true, resolveKnownTags: false },
    }),
  );
  const [fault] = document.errors;
  if (fault) throw problem(fault, place(fault.pos[0]));
  const twice = keyThatIsThereTwice(document);
  if (twice !== undefined) throw new YamlProblem('Map keys must be unique', place(twice));
  const value = guarded((): unknown => document.toJS());
  mustBeBounded(value);
  return {
    value,
    placeOf: (path) => {
      const offset = offsetOf(document, path);
      return offset === undefined ? undefined : place(offset);
    },
  };
}

/** The first lines of a message that may quote much of what is wrong. */
export function shortened(message: string): string {
  const line = message.replace(/\s+/g, ' ').trim();
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE)}...` : line;
}

/** The library goes into what is nested by calling itself. */
function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw problem(error);
  }
}

function problem(error: unknown, at?: string): YamlProblem {
  const message = error instanceof Error ? error.message : String(error);
  return new YamlProblem(/call stack/.test(message) ? 'it is nested too deeply' : message, at);
}

/** Its offset. */
function keyThatIsThereTwice(document: Document): number | undefined {
  let found: number | undefined;
  guarded(() =>
    visit(document, {
      Map: (_, { items }) => {
        const seen = new Set<unknown>();
        for (const { key } of items) {
          if (!isScalar(key)) continue;
          if (seen.has(key.value)) {
            found = key.range?.[0] ?? 0;
            return visit.BREAK;
          }
          seen.add(key.value);
        }
        return undefined;
      },
    }),
  );
  return found;
}

/** An alias to what it is itself in has no end. */
function mustBeBounded(value: unknown): void {
  let left = MOST_VALUES;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) throw new YamlProblem('it is nested too deeply');
    const below: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue;
      const inside: unknown[] = Object.values(one);
      left -= inside.length;
      if (left < 0) throw new YamlProblem('its aliases make too much of it');
      for (const part of inside) below.push(part);
    }
    level = below;
  }
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node: unknown = document.getIn(path.slice(0, depth), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range))
      return Number(node.range[0]);
  }
  return undefined;
}
