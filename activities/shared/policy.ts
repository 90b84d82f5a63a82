/** What a host lets run on it. The host's administrator writes it; a run can only ask. */
import { z } from 'zod';
import type { HostImages, RuntimeKind } from '../../nodes';
import { ByteSize, toBytes, type Computation, type NodeComputation } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { SignerKey, digestIn, signatureOf, type Signature } from './signed-computation';

/** One computation that may run here, and as what: a container of exactly this image, or processes of this folder. */
export const AllowedComputation = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .optional()
      .describe('What it is called. Absent, where a `signer` is named: anything that is signed by them.'),
    versions: z
      .array(z.string('a version is a text: "1.0"').min(1))
      .min(1)
      .optional()
      .describe('Which versions of it. Absent: any.'),
    runtime: z
      .enum(['docker', 'process', 'auto'])
      .default('auto')
      .describe('`auto`: in a container where an engine answers and an image is named, else as processes.'),
    image: z
      .string()
      .min(1)
      .optional()
      .describe('Its image. A tag stands for the image that it means on this host.'),
    digest: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, 'a digest is sha256: and 64 characters 0-9, a-f')
      .optional()
      .describe('The very image, by its digest, whatever it is called: `sha256:...`. No other is let in.'),
    signer: SignerKey.optional().describe(
      'Who has to have signed it: their public key, as `muster computation keygen` prints it. Whatever image they signed is let in.',
    ),
    folder: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Its folder, if it may run as local processes, which nothing isolates. Relative to this file.',
      ),
  })
  .refine(
    ({ digest, folder }) => digest === undefined || folder === undefined,
    'a digest names an image: give the folder an entry of its own',
  )
  .refine(
    ({ signer, folder }) => signer === undefined || folder === undefined,
    'what is signed is an image: give the folder an entry of its own',
  )
  .refine(({ name, signer }) => (name ?? signer) !== undefined, 'name the computation, or the signer of any')
  .refine(
    ({ runtime, image, digest, signer }) => runtime !== 'docker' || (image ?? digest ?? signer) !== undefined,
    'a docker computation names its image',
  )
  .refine(
    ({ runtime, folder }) => runtime !== 'process' || folder !== undefined,
    'a process computation names its folder',
  )
  .refine(
    ({ image, digest, signer, folder }) => (image ?? digest ?? signer ?? folder) !== undefined,
    'name an image, a folder or both',
  );
export type AllowedComputation = z.output<typeof AllowedComputation>;

/** The most that a node may use here, whatever its computation asks for. */
export const ResourceCaps = z.strictObject({
  cpus: z.number().positive().optional().describe('Processors.'),
  memory: ByteSize.optional().describe('Memory.'),
  pids: z.int().positive().optional().describe('Processes and threads.'),
});
export type ResourceCaps = z.output<typeof ResourceCaps>;

/** How much of a node's log may leave the site. */
export const LogDisclosure = z.enum(['none', 'on-error', 'stream']);

/** Whether the names and sizes of a node's results may leave the site. The results themselves stay in any case. */
export const ResultDisclosure = z.enum(['listed', 'hidden']);

/** How containers are made here, beyond what holds for all of them. */
export const ContainerRules = z
  .strictObject({
    readOnlyRoot: z
      .boolean()
      .default(false)
      .describe(
        'A node can write to its kit, its results and `/tmp`, which is in memory, and nowhere else. Not every image can live with that.',
      ),
    network: z
      .string()
      .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'is not the name of a network')
      .refine(
        (name) => !['host', 'none', 'bridge', 'default'].includes(name),
        'has to be a network that you made for nodes: `docker network create ...`',
      )
      .optional()
      .describe(
        "The engine's network that nodes are put on, whose way out is for you to bound, with a firewall. Absent: one that Muster makes, on " +
          'which nodes cannot reach each other.',
      ),
    reach: z
      .enum(['federation', 'any'])
      .optional()
      .describe(
        '`federation`: a node reaches the central node of its run, and `reports`, and nothing else. `any`: what its network lets it ' +
          'reach. Absent: `federation`, or `any` where `network` names one.',
      ),
  })
  .refine(
    ({ network, reach }) => network === undefined || reach !== 'federation',
    '`network` and `reach: federation` exclude each other: Muster makes the networks of nodes that reach the federation only',
  )
  .transform((rules) => ({
    ...rules,
    reach: rules.reach ?? (rules.network === undefined ? 'federation' : 'any'),
  }));
export type ContainerRules = z.output<typeof ContainerRules>;

/** What every host decides; read anew for each launch, so that a change needs no restart. */
export interface HostPolicy {
  /** What its administrator calls it: a refusal names it. */
  file: string;
  computations: readonly AllowedComputation[];
  resources: ResourceCaps;
  logs: z.output<typeof LogDisclosure>;
  results: z.output<typeof ResultDisclosure>;
  /** The site's folders by the consortium's dataset name; a central host has none. */
  datasets: Readonly<Record<string, string>>;
  containers?: ContainerRules | undefined;
}

/** How a computation runs on this host. */
export type Means = { runtime: 'docker'; image: string } | { runtime: 'process'; folder: string };

/** What a host has to decide with. */
interface Ways {
  /** Which runtime `kind` means on this host now. */
  choose: (kind: RuntimeKind | 'auto') => Promise<RuntimeKind>;
  images: HostImages;
}

/** The entries that allow a computation, as far as names tell, or why none does. What a tag means is not looked at. */
export function allowing(
  { name, version, image, signer, flaw }: Pick<NodeComputation, 'name' | 'version' | 'image'> & Signature,
  computations: readonly AllowedComputation[],
): { entries: readonly AllowedComputation[] } | { why: string } {
  const named = computations.filter((entry) => entry.name === name || entry.name === undefined);
  if (named.length === 0) return { why: `computation "${name}" is not allowed here` };
  const ofVersion = named.filter(({ versions }) => versions?.includes(version) ?? true);
  if (ofVersion.length === 0) {
    const allowed = named.flatMap(({ versions = [] }) => versions).join(', ');
    return { why: `version ${version} of "${name}" is not allowed here; allowed: ${allowed}` };
  }
  const signed = ofVersion.filter((entry) => entry.signer === undefined || entry.signer === signer);
  if (signed.length === 0) {
    const allowed = ofVersion.flatMap((entry) => entry.signer ?? []).join(', ');
    const by = flaw ?? (signer === undefined ? 'nobody signed it' : `it is signed by ${signer}`);
    return { why: `"${name}" has to be signed by ${allowed}, and ${by}` };
  }
  const digest = digestIn(image);
  const entries = signed.filter((entry) => entry.digest === undefined || entry.digest === digest);
  return entries.length > 0 ? { entries } : { why: otherImage(name, image, signed) };
}

function otherImage(name: string, image: string | undefined, entries: readonly AllowedComputation[]): string {
  const allowed = entries.flatMap((entry) => entry.digest ?? entry.image ?? []).join(', ') || 'none';
  return `the run asks for image ${image ?? '(none)'} of "${name}"; allowed here: ${allowed}`;
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
  const notAllowed = (why: string) =>
    failure('ComputationNotAllowed', `${policy.file}: computations: ${why}`);
  const allowed = allowing({ ...computation, ...(await signatureOf(computation)) }, policy.computations);
  if ('why' in allowed) throw notAllowed(allowed.why);
  for (const entry of allowed.entries) {
    const kind = await choose(wishOf(entry, computation));
    if (kind === 'process' && entry.folder !== undefined) return { runtime: kind, folder: entry.folder };
    const { image } = computation;
    // What is of the right digest, or signed, is the image, by whatever name: it has only to be had.
    const named = entry.image ?? (entry.signer === undefined ? undefined : image);
    const reference = entry.digest === undefined ? named : image;
    if (kind === 'docker' && image !== undefined && reference !== undefined) {
      if (await images.is(reference, image)) return { runtime: kind, image };
    }
  }
  throw notAllowed(otherImage(computation.name, computation.image, allowed.entries));
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
