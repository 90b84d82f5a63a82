/** Parameters as rows of the database hold them: sealed as a whole, each to its row. */
import { KeyRing, type NamedKeys } from '../../sealing/key-ring';
import { Parameters } from '../../workflows/contract';
import { HttpProblem } from '../problem';

/** Base64; an API of before left them as they were. */
export type StoredParameters = string | Parameters;

/** What a row is called here. It is part of the seal, so that what one row holds says nothing in another. */
export const rowOf = {
  consortium: (id: string) => `consortium ${id}`,
  run: (runId: string) => `run ${runId}`,
  /** Of what the request brought that started the run. */
  request: (runId: string) => `request of run ${runId}`,
};

export interface ParameterSeal {
  seal(parameters: Parameters, row: string): string;
  /** @throws HttpProblem `key-missing` */
  open(stored: StoredParameters, row: string): Parameters;
}

/** @param keys the first seals, every one opens */
export function createParameterSeal(keys: NamedKeys): ParameterSeal {
  const ring = new KeyRing(keys, 'parameters');
  return {
    seal: (parameters, row) => ring.seal(Buffer.from(JSON.stringify(parameters)), row).toString('base64'),
    open(stored, row) {
      if (typeof stored !== 'string') return stored;
      const opened = ring.open(Buffer.from(stored, 'base64'), row);
      if (opened) return Parameters.parse(JSON.parse(opened.toString()));
      throw new HttpProblem(
        'key-missing',
        `The parameters of ${row} were sealed by a key that MUSTER_PAYLOAD_KEYS no longer lists.`,
      );
    },
  };
}
