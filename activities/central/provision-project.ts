/**
 * provisionProject: reserves the central ports on this host and lets the computation make one runKit per node. The
 * folder in which it does so may hold the run's root secrets, so it is wiped whatever happens; only the kits remain.
 */
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import {
  CENTRAL_KIT_FOLDER,
  PROVISION_NODE,
  hostQueue,
  toMilliseconds,
  type LaunchRef,
  type Provisioned,
  type ProvisionInput,
} from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { capped, meansFor, type Means } from '../shared/policy';
import type { CentralHost } from './central-host';

const LOG_LINES = 20;
/** What a stop that interrupts provisioning leaves the provisioning node for ending by itself. */
const STOP_GRACE_MS = 2_000;

export function createProvisionProject(host: CentralHost) {
  return async function provisionProject(input: ProvisionInput): Promise<Provisioned> {
    const ref = { runId: input.runId, launchId: input.launchId };
    const means = await meansFor(input.computation, await host.policy(), (kind) => host.chooseRuntime(kind));
    const ports = await host.ports.reserve(ref, input.computation.ports);
    const name = host.centralName ?? (means.runtime === 'docker' ? 'host.docker.internal' : 'localhost');
    await host.folders.addToRecord(ref, { runtime: means.runtime });
    try {
      if (!(await exists(host.folders.outgoing(ref)))) await makeKits(host, input, means, { name, ports });
      await forgetProvisioning(host, ref, means);
    } catch (error) {
      if (isFinal(error)) await giveUp(host, ref, means);
      throw error;
    }
    return { hostQueue: hostQueue(host.hostId), endpoint: { host: name, ports } };
  };
}

interface Endpoint {
  name: string;
  ports: number[];
}

async function makeKits(
  host: CentralHost,
  input: ProvisionInput,
  means: Means,
  endpoint: Endpoint,
): Promise<void> {
  const ref = { runId: input.runId, launchId: input.launchId };
  const folder = host.folders.provision(ref);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'provision_input.json'), JSON.stringify(provisionInput(input, endpoint)), {
    mode: 0o600,
  });
  const runtime = host.runtimes[means.runtime];
  const node = { ...ref, node: PROVISION_NODE };
  const { resources } = await host.policy();
  await runtime.ensure({
    ...node,
    command: input.computation.commands.provision,
    ...(means.runtime === 'docker' ? { image: means.image } : { folder: means.folder }),
    folders: { provision: folder },
    ports: [],
    env: {},
    resources: capped(input.computation.resources, resources),
  });
  await waitForKits(host, input, means);
  await rename(join(folder, 'runKits'), host.folders.outgoing(ref));
}

/** The file that the computation's provision command reads (docs/computations.md). */
function provisionInput({ sites, parameters }: ProvisionInput, { name, ports }: Endpoint) {
  return {
    users: sites.map(({ id, name }) => ({ id, name })),
    computation_parameters: JSON.stringify(parameters),
    fed_learn_port: ports[0],
    host_identifier: name,
  };
}

async function waitForKits(host: CentralHost, input: ProvisionInput, means: Means): Promise<void> {
  const ref = { runId: input.runId, launchId: input.launchId };
  const node = { ...ref, node: PROVISION_NODE };
  const { provision: deadline } = input.computation.deadlines;
  const tooLate = AbortSignal.timeout(toMilliseconds(deadline));
  const runtime = host.runtimes[means.runtime];
  const ended = await runtime
    .wait(node, AbortSignal.any([Context.current().cancellationSignal, tooLate]))
    .catch((error: unknown) => {
      throw tooLate.aborted
        ? failure('DeadlineExceeded', `provisioning did not end within ${deadline}`)
        : error;
    });
  const log = (await runtime.logs(node, LOG_LINES)).trim();
  if (ended.state === 'absent') throw failure('ProvisionFailed', 'the provisioning node vanished');
  if (ended.exitCode !== 0) {
    throw failure(
      'ProvisionFailed',
      `provisioning exited with ${ended.exitCode ?? 'an unknown code'}${log && `:\n${log}`}`,
    );
  }
  for (const kit of [CENTRAL_KIT_FOLDER, ...input.sites.map(({ id }) => id)]) {
    const made = join(host.folders.provision(ref), 'runKits', kit);
    const files = await readdir(made).catch(() => []);
    if (files.length === 0)
      throw failure('ProvisionFailed', `provisioning made no kit for ${kit}${log && `:\n${log}`}`);
  }
}

async function forgetProvisioning(host: CentralHost, ref: LaunchRef, means: Means): Promise<void> {
  await host.runtimes[means.runtime].remove({ ...ref, node: PROVISION_NODE });
  await rm(host.folders.provision(ref), { recursive: true, force: true });
  await chmod(host.folders.outgoing(ref), 0o700);
}

/** Nobody will release a launch that has no place yet. */
async function giveUp(host: CentralHost, ref: LaunchRef, means: Means): Promise<void> {
  const node = { ...ref, node: PROVISION_NODE };
  await host.runtimes[means.runtime].stop(node, STOP_GRACE_MS);
  await host.runtimes[means.runtime].remove(node);
  await host.folders.remove(ref);
  await host.ports.release(ref);
}

/** A worker that shuts down leaves its provisioning for the next attempt to find. */
function isFinal(error: unknown): boolean {
  const { cancellationSignal } = Context.current();
  const shutdown =
    cancellationSignal.aborted && String(cancellationSignal.reason).includes('WORKER_SHUTDOWN');
  if (cancellationSignal.aborted) return !shutdown;
  return error instanceof ApplicationFailure && error.nonRetryable === true;
}

async function exists(folder: string): Promise<boolean> {
  return (await readdir(folder).catch(() => undefined)) !== undefined;
}
