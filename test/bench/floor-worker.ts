/**
 * A worker of the floor, a process as Muster's are: `node floor-worker.js central BUNDLE` runs the workflows and the
 * central activities, `node floor-worker.js SITE` a site's.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { CENTRAL_NODE } from '../../workflows/contract';
import {
  FLOOR_QUEUE,
  floorSiteQueue,
  type FloorCentralActivities,
  type FloorEdgeActivities,
  type FloorEdgeRun,
  type FloorNode,
} from './floor-contract';
import { provisionKits, startNode } from './floor-nodes';
import { FloorEdgeWorkflow, floorStartSignal, floorStatusSignal } from './floor-workflows';

const address = process.env.TEMPORAL_ADDRESS ?? '';
const namespace = process.env.TEMPORAL_NAMESPACE ?? '';

const nodes = new Map<string, ChildProcess>();
const keyOf = ({ run, node }: FloorNode) => `${run}/${node}`;

async function supervise(node: FloorNode): Promise<void> {
  const child = nodes.get(keyOf(node));
  if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit');
  nodes.delete(keyOf(node));
}

const edgeActivities: FloorEdgeActivities = {
  fetch: () => Promise.resolve(),
  async launchEdge({ run, folder, program, site }) {
    nodes.set(keyOf({ run, node: site.id }), await startNode(folder, program, site.id, site.folder));
  },
  supervise,
};

function centralActivities(temporal: Client): FloorCentralActivities {
  return {
    provision: ({ folder, program, port, parameters, sites }) =>
      provisionKits(folder, program, {
        users: sites.map(({ id }) => ({ id, name: id })),
        computation_parameters: JSON.stringify(parameters),
        fed_learn_port: port,
        host_identifier: 'localhost',
      }),
    publish: () => Promise.resolve(),
    async launchCentral({ run, folder, program }) {
      nodes.set(keyOf({ run, node: CENTRAL_NODE }), await startNode(folder, program, CENTRAL_NODE));
    },
    supervise,
    reportStarted: () => Promise.resolve(),
    reportStatus: () => Promise.resolve(),
    async signalEdges(starts) {
      await Promise.all(starts.map((start) => signalEdge(temporal, start)));
    },
  };
}

async function signalEdge(temporal: Client, start: FloorEdgeRun): Promise<void> {
  await temporal.workflow.signalWithStart(FloorEdgeWorkflow, {
    workflowId: `${start.run}.site.${start.site.id}`,
    taskQueue: FLOOR_QUEUE,
    signal: floorStartSignal,
    signalArgs: [start],
  });
  // In Muster the central API says so for the site, when the site asks for its kit.
  void temporal.workflow.getHandle(start.run).signal(floorStatusSignal, 'fetching');
}

async function main(site: string, bundle?: string): Promise<void> {
  const connection = await NativeConnection.connect({ address });
  const shared: Pick<WorkerOptions, 'connection' | 'namespace'> = { connection, namespace };
  const worker =
    bundle === undefined
      ? await Worker.create({
          ...shared,
          taskQueue: floorSiteQueue(site),
          activities: edgeActivities,
          maxConcurrentActivityTaskPolls: 1,
        })
      : await Worker.create({
          ...shared,
          taskQueue: FLOOR_QUEUE,
          workflowBundle: { codePath: bundle },
          activities: centralActivities(
            new Client({ connection: await Connection.connect({ address }), namespace }),
          ),
        });
  const running = worker.run();
  console.log(JSON.stringify({ msg: 'ready' }));
  await running;
  process.exit(0);
}

const [, , site = '', bundle] = process.argv;
void main(site, bundle);
