/** How the nodes of a trial are run: as containers of one pinned image, or as processes of the computation's folder. */
import type { AllowedComputation } from '../dev/computations-file';
import { chooseRuntime, engineAnswers } from '../nodes';
import { connectEngine } from '../nodes/engine';
import { ensureImage } from '../nodes/image';
import type { RuntimeKind } from '../nodes/node-runtime';
import type { Computation } from '../workflows/contract';
import type { TryPlan } from './try-plan';
import { UsageError } from './usage-error';

export type RuntimeWish = RuntimeKind | 'auto';

/** A computation that is ready to run on this machine, and the policy entry by which it may. */
export interface Means {
  computation: Computation;
  allowed: AllowedComputation;
}

/**
 * Which runtime `wish` means for this computation here.
 * @throws UsageError when containers are wished for and cannot be
 */
export async function chooseMeans({ computation }: TryPlan, wish: RuntimeWish): Promise<RuntimeKind> {
  if (computation.image === undefined) {
    if (wish !== 'docker') return 'process';
    throw new UsageError(
      `--runtime docker: ${computation.name} names no image. Add one, or use --runtime process.`,
    );
  }
  if (wish === 'docker' && !(await engineAnswers())) {
    throw new UsageError(
      '--runtime docker: no container engine answers. Start it, or use --runtime process.',
    );
  }
  return chooseRuntime(wish);
}

/** Sees to it that the computation can be run so; an image is built or pulled if need be. */
export async function prepareMeans(
  { computation, folder }: TryPlan,
  runtime: RuntimeKind,
  say: (line: string) => void,
): Promise<Means> {
  const { image: wanted, ...withoutImage } = computation;
  const { name } = computation;
  if (runtime === 'process' || wanted === undefined) {
    // As processes it runs from its folder: nobody need have the image.
    return { computation: withoutImage, allowed: { name, runtime: 'process', folder } };
  }
  // An image that is named by its contents cannot be made from the folder.
  const build = !wanted.includes('@');
  const image = await ensureImage({ engine: connectEngine(), image: wanted, folder, build, say });
  return { computation: { ...computation, image }, allowed: { name, runtime: 'docker', image } };
}
