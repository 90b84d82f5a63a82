/** What an image is, as opposed to what it is called: its digest, which is the same wherever the image is. */
import type Docker from 'dockerode';
import { z } from 'zod';
import type { ResolvedImage } from '../workflows/contract';
import { failure } from '../workflows/errors';
import { askFor } from './engine';
import { ensureImage, type ImageRequest } from './image';

/** What the engine says of an image; it says null where there is nothing. */
const Inspected = z.object({
  Id: z.string(),
  RepoDigests: z
    .array(z.string())
    .nullish()
    .transform((digests) => digests ?? []),
  Config: z.object({
    Labels: z
      .record(z.string(), z.string())
      .nullish()
      .transform((labels) => labels ?? {}),
  }),
});

/** The images of this host by what they are. */
export interface HostImages {
  /**
   * What `reference` is here; it is pulled if need be.
   * @throws ApplicationFailure `ImageMissing`, `EngineUnavailable`
   */
  resolve(reference: string): Promise<ResolvedImage>;
  /**
   * Whether `reference` is the image of this digest; pulled if need be.
   * @throws ApplicationFailure `ImageMissing`, `EngineUnavailable`
   */
  is(reference: string, digest: string): Promise<boolean>;
}

/** What an image of this host is, and what it is called. */
export interface ImageHere {
  /** By which a run names what `reference` means here. */
  digest: string;
  /** Whether it is the image of this digest. */
  is(digest: string): boolean;
}

/** What `reference` is here; nothing is pulled. `undefined` if it is not here. @throws ApplicationFailure `EngineUnavailable` */
export async function imageHere(engine: Docker, reference: string): Promise<ImageHere | undefined> {
  const found = await askFor(engine.getImage(reference).inspect());
  if (found === undefined) return undefined;
  const { Id, RepoDigests } = Inspected.parse(found);
  return {
    digest: digestOf(reference, Id, RepoDigests),
    is: (digest) => reference === digest || Id === digest || RepoDigests.includes(digest),
  };
}

/** The images of `engine`. */
export function createHostImages(engine: Docker): HostImages {
  const inspect = async (image: string) => {
    const found = await askFor(engine.getImage(image).inspect());
    return found && Inspected.parse(found);
  };

  /** Pulled, and never built: what runs here is what somebody published, or put here himself. */
  async function present(reference: string) {
    const found = await inspect(reference);
    if (found !== undefined) return found;
    if (isLocalId(reference)) {
      const advice = 'it has no name by which it could be pulled: load it, or build it, on this host';
      throw failure('ImageMissing', `The image ${reference} is not on this host, and ${advice}.`);
    }
    const request: ImageRequest = { engine, image: reference };
    await ensureImage(request);
    const pulled = await inspect(reference);
    if (pulled !== undefined) return pulled;
    throw failure('ImageMissing', `The image ${reference} was pulled and is gone again.`);
  }

  return {
    async resolve(reference) {
      const { Id, RepoDigests, Config } = await present(reference);
      return { digest: digestOf(reference, Id, RepoDigests), labels: Config.Labels };
    },
    async is(reference, digest) {
      const { Id, RepoDigests } = await present(reference);
      return reference === digest || Id === digest || RepoDigests.includes(digest);
    },
  };
}

const isLocalId = (reference: string) => reference.startsWith('sha256:');

/** The name that any host understands, where a registry gave the image one; else the id, which only this host knows. */
export function digestOf(reference: string, id: string, repoDigests: readonly string[]): string {
  if (reference.includes('@') || isLocalId(reference)) return reference;
  const repository = repositoryOf(reference);
  return repoDigests.find((digest) => repositoryOf(digest) === repository) ?? id;
}

/** `registry:5000/name:tag` without what comes after the name, and as the engine shortens it. */
const repositoryOf = (reference: string) =>
  reference
    .replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '')
    .replace(/^(?:index\.)?docker\.io\//, '')
    .replace(/^library\//, '');
