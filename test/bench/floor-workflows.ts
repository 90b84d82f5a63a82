/**
 * The floor: the least that a durable bring-up of the same nodes costs on Temporal. The workflows have the shape of
 * Muster's, step for step, up to the moment when the last site's node runs:
 *
 * - of a run: provision, publish, launch central, supervise central, report that it is up, signal the sites; beside them
 *   reports of the run's state, one at a time, each as soon as something has changed since the one before;
 * - of each site: one start signal, fetch, launch, supervise; three signals to the run (fetching, launching, running).
 *
 * What Muster's activities do besides spawning the three programs (kits, checks, the object store, the central API) is
 * left out here: that is what is measured. So are the reports that the nodes themselves send.
 */
import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  FLOOR_QUEUE,
  floorSiteQueue,
  type FloorCentralActivities,
  type FloorEdgeActivities,
  type FloorEdgeRun,
  type FloorRun,
} from './floor-contract';

export const floorStatusSignal = defineSignal<[string]>('status');
export const floorStartSignal = defineSignal<[FloorEdgeRun]>('start');

const central = proxyActivities<FloorCentralActivities>({
  taskQueue: FLOOR_QUEUE,
  startToCloseTimeout: '1h',
  retry: { maximumAttempts: 1 },
});

export async function FloorRunWorkflow(run: FloorRun): Promise<void> {
  const id = workflowInfo().workflowId;
  let ended = 0;
  let changed = true;
  let over = false;
  setHandler(floorStatusSignal, (state) => {
    changed = true;
    if (state === 'ended') ended += 1;
  });
  const reporting = report();

  await central.provision(run);
  changed = true;
  await central.publish();
  changed = true;
  await central.launchCentral({ ...run, run: id, node: 'central' });
  changed = true;
  const supervising = central.supervise({ run: id, node: 'central' });
  await central.reportStarted();
  const { folder, program } = run;
  await central.signalEdges(run.sites.map((site) => ({ folder, program, run: id, site })));
  changed = true;

  await supervising;
  await condition(() => ended === run.sites.length);
  over = true;
  await reporting;

  async function report(): Promise<void> {
    for (;;) {
      await condition(() => changed || over);
      if (!changed) return;
      changed = false;
      await central.reportStatus();
    }
  }
}

export async function FloorEdgeWorkflow(): Promise<void> {
  let start: FloorEdgeRun | undefined;
  setHandler(floorStartSignal, (ordered) => void (start = ordered));
  await condition(() => start !== undefined);
  if (start !== undefined) await bringUp(start);
}

async function bringUp(start: FloorEdgeRun): Promise<void> {
  const site = proxyActivities<FloorEdgeActivities>({
    taskQueue: floorSiteQueue(start.site.id),
    startToCloseTimeout: '1h',
    retry: { maximumAttempts: 1 },
  });
  const tell = (state: string) => getExternalWorkflowHandle(start.run).signal(floorStatusSignal, state);
  await site.fetch();
  void tell('launching');
  await site.launchEdge(start);
  void tell('running');
  await site.supervise({ run: start.run, node: start.site.id });
  await tell('ended');
}
