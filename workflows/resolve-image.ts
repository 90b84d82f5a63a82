/**
 * ResolveImageWorkflow: what a computation's image is on a central host. The central API has no container engine of its
 * own; a workflow lets any central worker answer, once for all who ask at the same time.
 */
import { proxyActivities } from '@temporalio/workflow';
import { resolving } from './activity-options';
import { ResolveImageInput, ResolvedImage, type CentralActivities } from './contract';
import { failure } from './errors';
import { problems } from './messages';

/** @throws ApplicationFailure `ImageMissing`, `EngineUnavailable`: the person who asks can mend it and ask again */
export async function ResolveImageWorkflow(raw: unknown): Promise<ResolvedImage> {
  const input = ResolveImageInput.safeParse(raw);
  if (!input.success) throw failure('InvalidRunInput', problems(input.error));
  const { resolveImage } = proxyActivities<CentralActivities>({ ...resolving, summary: input.data.image });
  return ResolvedImage.parse(await resolveImage(input.data));
}
