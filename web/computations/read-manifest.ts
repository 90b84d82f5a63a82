/** A computation's manifest, as a person chose it: read and checked before it is sent, by the schema that the API checks it with. Pure. */
import type { z } from 'zod';
import { readYaml, shortened, YamlProblem } from '../../client/yaml-text';
import { Computation } from '../../workflows/contract';

/** What is wrong with a manifest, and where. */
export interface ManifestFault {
  /** Such as `line 3:5, resources.memory`; empty where it is the file as a whole. */
  where: string;
  says: string;
}

export type ReadManifest =
  | { kind: 'faulty'; faults: ManifestFault[] }
  /** Whether its signature fits is checked by the command line alone. */
  | { kind: 'signed'; manifest: Computation }
  | { kind: 'good'; manifest: Computation };

/** JSON is YAML, too. */
export function readManifest(text: string): ReadManifest {
  try {
    const { value, placeOf } = readYaml(text);
    const checked = Computation.safeParse(value);
    if (checked.success)
      return { kind: checked.data.signature === undefined ? 'good' : 'signed', manifest: checked.data };
    return {
      kind: 'faulty',
      faults: checked.error.issues.map((issue) => faultOf(issue, placeOf(issue.path))),
    };
  } catch (error) {
    if (!(error instanceof YamlProblem)) throw error;
    const where = error.at === undefined ? '' : `line ${error.at}`;
    return { kind: 'faulty', faults: [{ where, says: error.message }] };
  }
}

/** What the schema's library says, in words that tell what to do. */
const WORDS: readonly (readonly [said: RegExp, words: string])[] = [
  [/received undefined$/, 'is missing'],
  [/expected string, received number$/, 'is to be a text: write it in quotes'],
];

function faultOf({ path, message }: z.core.$ZodIssue, at: string | undefined): ManifestFault {
  const line = at === undefined ? [] : [`line ${at}`];
  const name = path.length === 0 ? [] : [path.map(String).join('.')];
  return {
    where: [...line, ...name].join(', '),
    says: WORDS.find(([said]) => said.test(message))?.[1] ?? shortened(message),
  };
}
