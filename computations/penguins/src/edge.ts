/** The command `edge`: reads the site's rows, sends their moments, and writes the common fit beside the site's own. */
import { readPoints } from './csv';
import { EdgeClient, type Answer } from './edge-client';
import { fit, momentsOf, type Moments } from './least-squares';
import {
  ACKNOWLEDGEMENT_PATH,
  asGlobalFit,
  asNotYet,
  readCredentials,
  readEdgeKit,
  readParameters,
  STATISTICS_PATH,
  type EdgeKit,
  type GlobalFit,
} from './messages';
import { PATHS } from './paths';
import { runNode, type NodeTools } from './run-node';

/** The moments of very few rows would give the rows away. */
const MIN_ROWS = 5;
/** Central may leave once it has heard that everyone has the fit, also before its answer came through. */
const ACKNOWLEDGEMENT_PATIENCE_MS = 3000;

async function contribute(kit: EdgeKit, tools: NodeTools): Promise<void> {
  const { outcome, predictor } = readParameters(PATHS.parameters);
  tools.report({ phase: 'reading data' });
  const moments = momentsOf(readPoints(PATHS.data, { x: predictor, y: outcome }));
  if (moments.n < MIN_ROWS)
    throw new Error(`There are ${moments.n} complete rows; fewer than ${MIN_ROWS} would not stay private`);
  tools.log(`${moments.n} complete rows`);
  tools.writeResult('local_fit.json', { outcome, predictor, n: moments.n, ...fit(moments) });

  const central = new EdgeClient(kit, readCredentials(PATHS.kit), tools.log);
  tools.report({ phase: 'connecting' });
  let acknowledged = false;
  while (!acknowledged) {
    const globalFit = await exchange(central, moments, tools);
    tools.writeResult('global_fit.json', globalFit);
    acknowledged = await acknowledge(central, tools);
  }
  tools.log('has the fit');
}

/** Sends the moments until every site has done so and the fit comes back. */
async function exchange(central: EdgeClient, moments: Moments, tools: NodeTools): Promise<GlobalFit> {
  for (;;) {
    const answer = await central.post(STATISTICS_PATH, moments);
    if (answer.status === 200) return asGlobalFit(answer.body);
    if (answer.status !== 202) throw new Error(`Central says: ${errorOf(answer)}`);
    const { received, expected } = asNotYet(answer.body);
    tools.report({ phase: 'waiting', detail: `${received} of ${expected} sites are there` });
  }
}

/** False where central has come back with no memory of us: everything is to be said again. */
async function acknowledge(central: EdgeClient, tools: NodeTools): Promise<boolean> {
  try {
    const { status } = await central.post(ACKNOWLEDGEMENT_PATH, {}, ACKNOWLEDGEMENT_PATIENCE_MS);
    return status !== 409;
  } catch (error) {
    tools.log(`central has gone: ${error instanceof Error ? error.message : String(error)}`);
    return true;
  }
}

function errorOf({ status, body }: Answer): string {
  const said = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  return typeof said === 'string' ? said : `HTTP status ${status}`;
}

void runNode({
  command: 'edge',
  readKit: () => readEdgeKit(PATHS.kit),
  name: (kit) => `edge ${kit.site}`,
  work: contribute,
});
