/**
 * provisionProject: reserves the central ports on this host and lets the computation make one runKit per node. The
 * folder in which it does so may hold the run's root secrets, so it is wiped whatever happens; only the kits remain.
 */
import { chmod, lstat, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { removeOwn, withLog, type NodeRuntime } from '../../nodes';
import { computationDigest } from '../../sealing/launch-manifest';
import { timeLimit } from '../../time/limit';
import {
  CENTRAL_KIT_FOLDER,
  PROVISION_NODE,
  hostQueue,
  toMilliseconds,
  type NodeRef,
  type Provisioned,
  type ProvisionInput,
} from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { nodeComputation } from '../../workflows/launch-context';
import { interruptionOf, willRetry } from '../shared/attempt';
import type { LaunchRecord } from '../shared/launch-folders';
import { NodeLogs } from '../shared/node-logs';
import { oneAtATime } from '../shared/one-at-a-time';
import { capped, type HostPolicy, type Means } from '../shared/policy';
import { launchMeans } from '../shared/run-node';
import { writeWhole } from '../shared/write-whole';
import { nameForEdges, type CentralHost } from './central-host';
import { endOlderLaunches, type Ending } from './older-launches';
import { portsOf, provisionInput } from './provision-input';

const LOG_LINES = 20;
/** What a stop that interrupts provisioning leaves the provisioning node for ending by itself. */
const STOP_GRACE_MS = 2_000;
/** Timers know no longer time. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function createProvisionProject(host: CentralHost, ending: Ending) {
  const logs = new NodeLogs(host);
  const inTurn = oneAtATime();
  return function provisionProject(input: ProvisionInput): Promise<Provisioned> {
    const node = { runId: input.runId, launchId: input.launchId, node: PROVISION_NODE };
    return inTurn(`${node.runId}/${node.launchId}`, () => provision(input, node));
  };

  async function provision(input: ProvisionInput, node: NodeRef): Promise<Provisioned> {
    try {
      await endOlderLaunches(host, ending, input);
      const policy = await host.policy();
      const means = await launchMeans(host, node, input.computation, policy);
      const endpoint = await reserveEndpoint(host, node, input, means);
      await host.folders.addToRecord(node, { runtime: means.runtime, made: whatIsMade(input) });
      if (!(await areKitsMade(host, node)))
        await makeKits({ host, logs, input, node, means, policy, endpoint });
      await host.runtimes[means.runtime].remove(node);
      await removeOwn(host.folders.provision(node));
      return { hostQueue: hostQueue(host.hostId), endpoint };
    } catch (error) {
      if (isFinal(error)) await giveUp(host, node);
      throw error;
    }
  }
}

/** What the central API is told of the launch, with the keys of its kits. */
function whatIsMade({ computation, sites }: ProvisionInput): LaunchRecord['made'] {
  return {
    computation: computationDigest(nodeComputation({ computation })),
    datasets: Object.fromEntries(sites.map(({ id, dataset }) => [id, dataset])),
  };
}

type Endpoint = Provisioned['endpoint'];

/** One launch's provisioning on this host. */
interface Job {
  host: CentralHost;
  logs: NodeLogs;
  input: ProvisionInput;
  node: NodeRef;
  means: Means;
  policy: HostPolicy;
  endpoint: Endpoint;
}

async function reserveEndpoint(
  host: CentralHost,
  ref: NodeRef,
  { computation }: ProvisionInput,
  { runtime }: Means,
): Promise<Endpoint> {
  const ports = await host.ports.reserve(ref, portsOf(computation));
  return { host: nameForEdges(host, runtime), ports };
}

/** They are made all at once or not at all, and go when they are published. */
async function areKitsMade({ folders }: CentralHost, ref: NodeRef): Promise<boolean> {
  return (await exists(folders.outgoing(ref))) || (await exists(folders.receipt(ref)));
}

async function makeKits(job: Job): Promise<void> {
  const { host, input, node, means, policy } = job;
  const folder = host.folders.provision(node);
  const runtime = host.runtimes[means.runtime];
  // What an earlier attempt started goes on; else the node starts in a folder that nothing was written to.
  if ((await runtime.inspect(node)).state === 'absent') await layOut(job);
  const { runtime: _, ...place } = means;
  const started = await runtime.ensure({
    ...node,
    ...place,
    command: input.computation.commands.provision,
    folders: { provision: folder },
    ports: [],
    // It makes files out of files.
    reach: [],
    env: {},
    resources: capped(input.computation.resources, policy.resources),
  });
  await judge(job, runtime, await watchToEnd(job, runtime, started));
  const kits = join(folder, 'runKits');
  await chmod(kits, 0o700);
  await rename(kits, host.folders.outgoing(node));
}

/** Its log is kept and sent like that of any node of this host. */
async function watchToEnd(
  job: Job,
  runtime: NodeRuntime,
  started: Awaited<ReturnType<NodeRuntime['ensure']>>,
): Promise<Awaited<ReturnType<NodeRuntime['wait']>>> {
  const { cancellationSignal, log } = Context.current();
  const watched = job.logs.watch(job.node, runtime, cancellationSignal, log);
  try {
    const ended = started.state === 'exited' ? started : await waitFor(job, runtime, started.startedAt);
    await watched.finish('succeeded', cancellationSignal);
    return ended;
  } finally {
    await watched.leave();
  }
}

/** A folder with nothing but the file that the computation's provision command reads (docs/computations.md). */
async function layOut({ host, input, node, endpoint }: Job): Promise<void> {
  const folder = host.folders.provision(node);
  await removeOwn(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const content = provisionInput(input, endpoint);
  await writeWhole(join(folder, 'provision_input.json'), JSON.stringify(content));
}

/** The deadline counts from the node's start, however many workers have watched it since. */
async function waitFor({ input, node }: Job, runtime: NodeRuntime, startedAt: number) {
  const { provision: deadline } = input.computation.deadlines;
  const left = startedAt + toMilliseconds(deadline) - Date.now();
  const tooLate = timeLimit(Math.min(Math.max(left, 0), LONGEST_TIMER_MS));
  const { cancellationSignal } = Context.current();
  try {
    return await runtime.wait(node, AbortSignal.any([cancellationSignal, tooLate]));
  } catch (error) {
    if (cancellationSignal.aborted || !tooLate.aborted) throw error;
    const logTail = await runtime.logs(node, LOG_LINES);
    throw failure('DeadlineExceeded', quoting(logTail, `provisioning did not end within ${deadline}.`));
  }
}

/** @throws ApplicationFailure unless the node ended well and made every kit */
async function judge(
  { host, input, node }: Job,
  runtime: NodeRuntime,
  ended: Awaited<ReturnType<NodeRuntime['wait']>>,
): Promise<void> {
  if (ended.state === 'absent' || ended.exitCode === undefined) {
    await runtime.remove(node);
    throw failure('NodeNotStarted', 'the provisioning node vanished, and how it ended is not known');
  }
  const logTail = await runtime.logs(node, LOG_LINES);
  if (ended.exitCode !== 0) {
    const why = ended.outOfMemory ? ', killed for using more memory than its limit' : '';
    const problem = `provisioning exited with ${ended.exitCode}${why}.`;
    throw failure('ProvisionFailed', quoting(logTail, problem));
  }
  const kits = join(host.folders.provision(node), 'runKits');
  for (const kit of [CENTRAL_KIT_FOLDER, ...input.sites.map(({ id }) => id)]) {
    if ((await isFilled(kits)) && (await isFilled(join(kits, kit)))) continue;
    throw failure('ProvisionFailed', quoting(logTail, `provisioning made no kit for ${kit}.`));
  }
}

/** A link does not count: it could lead to files of this host, which are not the computation's to publish. */
async function isFilled(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && (await readdir(folder)).length > 0;
}

/** Nothing of a provisioning node's log is about patients. */
const quoting = (logTail: string, problem: string) => withLog(problem, { logs: 'stream', logTail });

/** Nobody releases a launch that has no place: with the last attempt goes all that it held. */
async function giveUp({ folders, runtimes, ports }: CentralHost, node: NodeRef): Promise<void> {
  const { runtime } = await folders.readRecord(node);
  try {
    if (runtime !== undefined) {
      await runtimes[runtime].stop(node, STOP_GRACE_MS);
      await runtimes[runtime].remove(node);
    }
  } finally {
    await folders.clear(node);
    await ports.release(node);
  }
}

/** Whether no other attempt follows that could go on with what is there. */
function isFinal(error: unknown): boolean {
  const context = Context.current();
  const interruption = interruptionOf(context);
  return interruption === undefined ? !willRetry(context.info, error) : interruption === 'cancelled';
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
