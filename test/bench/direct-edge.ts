/** An edge worker that reaches Temporal itself, without the gateway and its TLS: what those cost is measured against it. */
import { startEdgeWorker } from '../../workers/edge';
import { main } from '../../workers/run-workers';

const address = process.env.TEMPORAL_ADDRESS ?? '';

void main('edge-worker', (log) => startEdgeWorker(log, () => ({ address })));
