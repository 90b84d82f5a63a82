/**
 * An edge worker that reaches Temporal itself, without the gateway and its TLS: what those cost is measured against it. Of
 * the stack whose state folder STACK_STATE names it has the keys, for there is nobody who opens and seals for it.
 */
import { startEdgeWorker } from '../../workers/edge';
import { main } from '../../workers/run-workers';
import { historiesOf } from '../support/sealed';

const { TEMPORAL_ADDRESS: address = '', STACK_STATE: state = '' } = process.env;

void main('edge-worker', async (log) => {
  const dataConverter = await historiesOf(state);
  await startEdgeWorker(log, { connection: () => ({ address }), dataConverter });
});
