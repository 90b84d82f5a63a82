/**
 * What the instance says of a launch to the site that is to take part in it, signed by the key that the site has kept since
 * it joined: a compact JWS. The site holds it against its task, which comes by another way.
 */
import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, errors } from 'jose';
import { z } from 'zod';
import {
  ConsortiumId,
  Kit,
  LaunchId,
  RunId,
  Site,
  SiteId,
  type ComputationRef,
  type NodeComputation,
} from '../workflows/contract';
import { digestOfJson } from './canonical-json';

const ALGORITHM = 'EdDSA';
/** So that nothing else that the instance signs is taken for this. */
const TYPE = 'muster-launch+jws';
/** The clocks of two institutions. */
const SKEW_SECONDS = 60;

/** Seconds since the epoch. */
const Moment = z.int().nonnegative();

export const LaunchManifest = z.strictObject({
  /** The site that it is for. */
  aud: SiteId,
  runId: RunId,
  launchId: LaunchId,
  consortium: z.strictObject({ id: ConsortiumId, name: z.string() }),
  computation: z.strictObject({
    name: z.string(),
    version: z.string(),
    /** {@link computationDigest} */
    digest: Kit.shape.sha256,
  }),
  dataset: Site.shape.dataset,
  kit: Kit.omit({ node: true }),
  iat: Moment,
  exp: Moment,
  jti: z.string().min(1),
});
export type LaunchManifest = z.output<typeof LaunchManifest>;

/** What a site was asked to run. */
export interface Task {
  runId: string;
  launchId: string;
  site: Pick<Site, 'id' | 'dataset'>;
  /** A central side of an older version does not say it. */
  consortium?: { id: string } | undefined;
  computation: NodeComputation;
  kit: Kit;
}

/** Which computation it is, to its last setting: its commands, image, outputs, limits. */
export const computationDigest = (computation: NodeComputation): string => digestOfJson(computation);

/** @param key Ed25519 */
export function signManifest(manifest: LaunchManifest, key: KeyObject): Promise<string> {
  const payload = Buffer.from(JSON.stringify(manifest));
  return new CompactSign(payload).setProtectedHeader({ alg: ALGORITHM, typ: TYPE }).sign(key);
}

/**
 * What the holder of `key` signed, or why that cannot be said. Whether it is about the right launch, and still good, is
 * {@link manifestProblem}'s to say.
 */
export async function readManifest(
  signed: string,
  key: KeyObject,
): Promise<{ manifest: LaunchManifest } | { problem: string }> {
  try {
    const { payload, protectedHeader } = await compactVerify(signed, key, { algorithms: [ALGORITHM] });
    if (protectedHeader.typ !== TYPE) return { problem: 'it is something else that the centre signed' };
    const { data } = LaunchManifest.safeParse(JSON.parse(Buffer.from(payload).toString()));
    return data === undefined ? { problem: 'it is not of the agreed form' } : { manifest: data };
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed)
      return { problem: 'it is not signed by the key that this site has kept since it joined' };
    if (error instanceof errors.JOSEError || error instanceof SyntaxError)
      return { problem: 'it is not of the agreed form' };
    throw error;
  }
}

/**
 * Why what was signed does not let the task be done, or undefined where it does. Pure.
 * @param now milliseconds since the epoch
 */
export function manifestProblem(manifest: LaunchManifest, task: Task, now: number): string | undefined {
  const { aud, runId, launchId, consortium, computation, dataset, kit } = manifest;
  const seconds = now / 1000;
  if (aud !== task.site.id) return `it is for the site ${aud}`;
  if (runId !== task.runId) return `it is about the run ${runId}`;
  if (launchId !== task.launchId) return `it is about the launch ${launchId}`;
  if (seconds > manifest.exp + SKEW_SECONDS)
    return `it expired ${Math.round(seconds - manifest.exp)} seconds ago by the clock of this machine`;
  if (kit.key !== task.kit.key || kit.sha256 !== task.kit.sha256 || kit.size !== task.kit.size)
    return `it is about the kit ${kit.key} of sha256 ${kit.sha256}, and this site was given one of sha256 ${task.kit.sha256}`;
  return termsProblem(
    { consortium: consortium.id, computation: computation.digest, dataset },
    task,
    computation,
  );
}

/** What a launch runs, for whom and on what. */
export interface Terms {
  /** Its id. */
  consortium: string;
  /** {@link computationDigest} */
  computation: string;
  dataset: string;
}

/** Why a task is not on the terms that were signed, or undefined where it is. Pure. */
export function termsProblem(
  terms: Terms,
  task: Pick<Task, 'site' | 'consortium' | 'computation'>,
  signed: ComputationRef = task.computation,
): string | undefined {
  const { name, version } = task.computation;
  if (task.consortium !== undefined && terms.consortium !== task.consortium.id)
    return `it is of the consortium ${terms.consortium}, and the task of ${task.consortium.id}`;
  if (signed.name !== name || signed.version !== version)
    return `it is of the computation ${signed.name} ${signed.version}, and the task of ${name} ${version}`;
  if (terms.computation !== computationDigest(task.computation))
    return `the task differs from the computation ${name} ${version} that was agreed on: in its image, commands or limits`;
  if (terms.dataset !== task.site.dataset)
    return `it is on the dataset ${terms.dataset}, and the task on ${task.site.dataset}`;
  return undefined;
}
