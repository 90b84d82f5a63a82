/** What an answer of the API says, as far as it can be read. */
import { ReadProblem } from '../workflows/problem-contract';

/** `undefined`: it is no JSON. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `undefined`: it is no problem, such as the page of a proxy. */
export const readProblem = (text: string): ReadProblem | undefined =>
  ReadProblem.safeParse(readJson(text)).data;
