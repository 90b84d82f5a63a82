/** What a command says on standard output: one JSON document for programs, or lines for people. */

export interface JsonOption {
  json?: true;
}

export const JSON_OPTION = ['--json', 'as one JSON document'] as const;

/** Prints `value` as JSON where that was asked for, and `lines` elsewhere. */
export function print(json: true | undefined, value: unknown, lines: readonly string[]): void {
  const told = json ? [JSON.stringify(value)] : lines;
  process.stdout.write(told.map((line) => `${line}\n`).join(''));
}

/** Says that something was done; there is nothing else to tell of it. */
export function printDone(json: true | undefined, line: string): void {
  print(json, { done: true }, [line]);
}

/** A day for people, such as `2026-12-23`. */
export const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
/** A moment for people. */
export const moment = (at: number): string => new Date(at).toISOString();
