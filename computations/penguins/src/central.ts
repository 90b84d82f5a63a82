/** The command `central`: gathers the sites' statistics, fits the line to all of them, and gives it to every site. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from './central-server';
import { Federation, type Outcome } from './federation';
import { combine, fit } from './least-squares';
import {
  readCentralKit,
  readCredentials,
  readParameters,
  type CentralKit,
  type Parameters,
} from './messages';
import { PATHS } from './paths';
import { runNode, type NodeTools } from './run-node';

async function serve({ port, sites }: CentralKit, tools: NodeTools): Promise<void> {
  const parameters = readParameters(PATHS.parameters);
  const federation = new Federation(sites);
  const server = await listen({ port, federation, credentials: readCredentials(PATHS.kit) }, tools.log);
  tools.log(`listening on port ${port} for ${sites.length} sites`);
  tools.report({ phase: 'waiting', detail: `for ${sites.length} sites`, progress: 0 });

  await federation.everyoneSent;
  await pause(parameters.pauseSeconds, tools);
  const outcome = compute(federation, parameters);
  if ('fit' in outcome) tools.writeResult('global_fit.json', outcome.fit);
  federation.settle(outcome);
  if ('fit' in outcome) {
    tools.log(`fit ${outcome.fit.intercept} + ${outcome.fit.slope} x, n = ${outcome.fit.n}`);
    tools.report({ phase: 'handing out', progress: 0.9 });
    await federation.everyoneAcknowledged;
  }
  // Answers under way are finished first.
  server.close();
  await once(server, 'close');
  if ('error' in outcome) throw new Error(outcome.error);
  tools.log('every site has the fit');
}

function compute(federation: Federation, { outcome, predictor }: Parameters): Outcome {
  const line = fit(combine(federation.statistics()));
  if (line === undefined)
    return { error: `All rows have the same ${predictor}: there is no line through them` };
  return { fit: { outcome, predictor, sites: federation.sites.length, ...line } };
}

/** For demonstrations: a run that is over at once cannot be watched. */
async function pause(seconds: number, { report }: NodeTools): Promise<void> {
  for (let second = 1; second <= seconds; second++) {
    report({ phase: 'pause', detail: `${second} of ${seconds} s`, progress: second / (seconds + 1) });
    await sleep(1000);
  }
}

void runNode({
  command: 'central',
  readKit: () => readCentralKit(PATHS.kit),
  name: () => 'central',
  work: serve,
});
