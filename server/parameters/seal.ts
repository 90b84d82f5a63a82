/** Parameters as rows of the database hold them: sealed as a whole, each to its row. */
import { headOf, KeyRing, type NamedKeys } from '../../sealing/key-ring';
import { Parameters } from '../../workflows/contract';
import { HttpProblem } from '../problem';

/** Hexadecimal, so that rows can be found by the key that sealed them; an API of before left parameters as they were. */
export type StoredParameters = string | Parameters;

/** What a row is called here. It is part of the seal, so that what one row holds says nothing in another. */
export const rowOf = {
  consortium: (id: string) => `consortium ${id}`,
  run: (runId: string) => `run ${runId}`,
  /** Of what the request brought that started the run. */
  request: (runId: string) => `request of run ${runId}`,
};

export interface ParameterSeal {
  /** How everything begins that is sealed by the key of today. */
  readonly head: string;
  seal(parameters: Parameters, row: string): string;
  /** @throws HttpProblem `key-missing` */
  open(stored: StoredParameters, row: string): Parameters;
}

/** @param keys the first seals, every one opens */
export function createParameterSeal(keys: NamedKeys): ParameterSeal {
  const ring = new KeyRing(keys, 'parameters');
  return {
    head: headOf(keys[0]).toString('hex'),
    seal: (parameters, row) => ring.seal(Buffer.from(JSON.stringify(parameters)), row).toString('hex'),
    open(stored, row) {
      if (typeof stored !== 'string') return stored;
      const opened = ring.open(Buffer.from(stored, 'hex'), row);
      if (opened) return Parameters.parse(JSON.parse(opened.toString()));
      throw new HttpProblem(
        'key-missing',
        `The parameters of ${row} were sealed by a key that MUSTER_PAYLOAD_KEYS no longer lists.`,
      );
    },
  };
}
