/** What a host lets run on it. The host's administrator writes it; a run can only ask. */
import { z } from 'zod';
import type { HostImages, RuntimeKind } from '../../nodes';
import { ByteSize, toBytes, type Computation, type NodeComputation } from '../../workflows/contract';
import { failure } from '../../workflows/errors';

/** One computation that may run here, and as what: a container of exactly this image, or processes of this folder. */
export const AllowedComputation = z
  .strictObject({
    name: z.string().min(1),
    runtime: z.enum(['docker', 'process', 'auto']).default('auto'),
    image: z.string().min(1).optional(),
    folder: z.string().min(1).optional(),
  })
  .refine(
    ({ runtime, image }) => runtime !== 'docker' || image !== undefined,
    'a docker computation names its image',
  )
  .refine(
    ({ runtime, folder }) => runtime !== 'process' || folder !== undefined,
    'a process computation names its folder',
  )
  .refine(
    ({ image, folder }) => image !== undefined || folder !== undefined,
    'name an image, a folder or both',
  );
export type AllowedComputation = z.output<typeof AllowedComputation>;

/** The most that a node may use here, whatever its computation asks for. */
export const ResourceCaps = z.strictObject({
  cpus: z.number().positive().optional(),
  memory: ByteSize.optional(),
  pids: z.int().positive().optional(),
});
export type ResourceCaps = z.output<typeof ResourceCaps>;

/** How much of a node's log may leave the site. */
export const LogDisclosure = z.enum(['none', 'on-error', 'stream']);

/** Whether the names and sizes of a node's results may leave the site. The results themselves stay in any case. */
export const ResultDisclosure = z.enum(['listed', 'hidden']);

/** What every host decides; read anew for each launch, so that a change needs no restart. */
export interface HostPolicy {
  computations: readonly AllowedComputation[];
  resources: ResourceCaps;
  logs: z.output<typeof LogDisclosure>;
  results: z.output<typeof ResultDisclosure>;
  /** The site's folders by the consortium's dataset name; a central host has none. */
  datasets: Readonly<Record<string, string>>;
}

/** How a computation runs on this host. */
export type Means = { runtime: 'docker'; image: string } | { runtime: 'process'; folder: string };

/** What a host has to decide with. */
interface Ways {
  /** Which runtime `kind` means on this host now. */
  choose: (kind: RuntimeKind | 'auto') => Promise<RuntimeKind>;
  images: HostImages;
}

/**
 * How `computation` may run here. A host may allow an image by a name; what the run asks for by digest then has to be
 * what that name means here.
 * @throws ApplicationFailure `ComputationNotAllowed`, naming what is allowed; `ImageMissing`, `EngineUnavailable`
 */
export async function meansFor(
  computation: NodeComputation,
  policy: HostPolicy,
  { choose, images }: Ways,
): Promise<Means> {
  const named = policy.computations.filter(({ name }) => name === computation.name);
  if (named.length === 0)
    throw failure('ComputationNotAllowed', `computation "${computation.name}" is not allowed here`);
  for (const entry of named) {
    const kind = await choose(wishOf(entry, computation));
    if (kind === 'process' && entry.folder !== undefined) return { runtime: kind, folder: entry.folder };
    const { image } = computation;
    if (kind === 'docker' && image !== undefined && entry.image !== undefined) {
      if (await images.is(entry.image, image)) return { runtime: kind, image };
    }
  }
  const allowed = named.flatMap(({ image }) => image ?? []).join(', ') || 'none';
  throw failure(
    'ComputationNotAllowed',
    `the run asks for image ${computation.image ?? '(none)'} of "${computation.name}"; allowed here: ${allowed}`,
  );
}

/** `auto` leaves no choice where only one way was given, by the host or by the computation. */
function wishOf(
  { runtime, image, folder }: AllowedComputation,
  computation: NodeComputation,
): RuntimeKind | 'auto' {
  if (runtime !== 'auto') return runtime;
  if (folder === undefined) return 'docker';
  return image === undefined || computation.image === undefined ? 'process' : 'auto';
}

/** What a node gets: what it asks for, at most what the host grants. */
export function capped(asked: Computation['resources'], caps: ResourceCaps): Computation['resources'] {
  const memory =
    caps.memory !== undefined && toBytes(caps.memory) < toBytes(asked.memory) ? caps.memory : asked.memory;
  return {
    ...asked,
    memory,
    cpus: Math.min(asked.cpus, caps.cpus ?? asked.cpus),
    pids: Math.min(asked.pids, caps.pids ?? asked.pids),
  };
}
