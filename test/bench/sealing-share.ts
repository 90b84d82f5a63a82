/** What sealing takes of a run: all that lies in its histories, sealed once and opened once, one piece after the other. */
import { Client, Connection } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import type { Stack } from '../../dev/stack';
import { EDGE_RUN_WORKFLOW, RUN_WORKFLOW } from '../../workflows/contract';
import { historiesOf } from '../support/sealed';

const RUNS = `WorkflowType IN ('${RUN_WORKFLOW}', '${EDGE_RUN_WORKFLOW}')`;

/** Seconds for one of the runs that this stack has done so far, on the average. */
export async function sealingSecondsOfARun({ temporal, paths }: Stack): Promise<number> {
  const { payloadCodecs: [codec] = [] } = await historiesOf(paths.root);
  if (!codec) throw new Error('histories are not sealed');
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const { workflow } = new Client({ connection, namespace: temporal.namespace });
    let [runs, seconds] = [0, 0];
    for await (const { workflowId, runId, type } of workflow.list({ query: RUNS })) {
      const sealed = payloadsIn(await workflow.getHandle(workflowId, runId).fetchHistory());
      const plain = await codec.decode(sealed);
      const began = performance.now();
      await codec.decode(await codec.encode(plain));
      seconds += (performance.now() - began) / 1000;
      if (type === RUN_WORKFLOW) runs++;
    }
    return seconds / runs;
  } finally {
    await connection.close();
  }
}

const bytes = z.instanceof(Uint8Array);
const APayload = z.object({ metadata: z.record(z.string(), bytes), data: bytes });

function payloadsIn(value: unknown): Payload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const payload = APayload.safeParse(value);
  if (payload.success) return [payload.data];
  return Object.values(value).flatMap(payloadsIn);
}
