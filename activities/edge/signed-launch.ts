/**
 * What the centre has signed of a launch, held against what this site was asked to do. The task comes by way of Temporal, the
 * signed word from the central API: neither alone makes a site run anything.
 */
import { createPublicKey } from 'node:crypto';
import {
  manifestProblem,
  readManifest,
  termsProblem,
  type LaunchManifest,
  type Task,
  type Terms,
} from '../../sealing/launch-manifest';
import type { RunKitAccess } from '../../workflows/api-contract';
import type { FetchInput, LaunchEdgeInput } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import type { EdgeHost } from './edge-host';

/**
 * The launch as it was signed, and the key of its kit.
 * @throws ApplicationFailure `ManifestRefused`
 */
export async function openSignedLaunch(
  { identity }: Pick<EdgeHost, 'identity'>,
  task: FetchInput,
  { sealed }: RunKitAccess,
): Promise<{ manifest: LaunchManifest; contentKey: Buffer }> {
  if (sealed === undefined) throw refused('the central API sent none');
  const manifest = await checked(sealed.manifest, identity.instanceKey, task);
  const contentKey = await identity.openSealed(sealed.contentKey);
  if (contentKey === undefined) throw refused('the key of the kit was not sealed to this site');
  return { manifest, contentKey };
}

async function checked(signed: string, instanceKey: string, task: Task): Promise<LaunchManifest> {
  const read = await readManifest(signed, createPublicKey(instanceKey));
  if ('problem' in read) throw refused(read.problem);
  const problem = manifestProblem(read.manifest, task, Date.now());
  if (problem !== undefined) throw refused(problem);
  return read.manifest;
}

/** What is kept of what was signed, for the step that starts the node. */
export const termsOf = ({ consortium, computation, dataset }: LaunchManifest): Terms => ({
  consortium: consortium.id,
  computation: computation.digest,
  dataset,
});

/**
 * The task is another one than that for which the kit was fetched, if it likes.
 * @throws ApplicationFailure `ManifestRefused` unless it is on the terms that were signed
 */
export function mustBeAsSigned(task: LaunchEdgeInput, signed: Terms | undefined): void {
  if (signed === undefined) throw refused('this launch has none here');
  const problem = termsProblem(signed, task);
  if (problem !== undefined) throw refused(problem);
}

const refused = (problem: string) =>
  failure('ManifestRefused', `The signed word of the centre on this launch: ${problem}.`);
