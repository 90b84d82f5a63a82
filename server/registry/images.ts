/** What an image is on a central host. The API has no container engine: a central worker looks, by way of Temporal. */
import { WorkflowFailedError, isGrpcDeadlineError, type Client } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import {
  CENTRAL_QUEUE,
  RESOLVE_IMAGE_WORKFLOW,
  ResolvedImage,
  resolveImageWorkflowId,
} from '../../workflows/contract';
import { HttpProblem } from '../problem';
import { hasCentralWorker } from '../runs/central-workers';
import { asProblem } from '../runs/temporal';

export interface Images {
  /**
   * What `reference` is on a central host, after it was pulled if need be: that can take minutes, and is waited for by
   * asking again.
   * @throws HttpProblem `image-pending`, `image-unavailable`, `no-central-worker`, or as Temporal's failures are named
   */
  resolve(reference: string): Promise<ResolvedImage>;
}

/** Less than anybody on the way gives a request up after. */
const PATIENCE_MS = 15_000;

export function createImages(client: Client): Images {
  return {
    async resolve(reference) {
      try {
        await mustBeServed(client);
        const looking = await client.workflow.start(RESOLVE_IMAGE_WORKFLOW, {
          workflowId: resolveImageWorkflowId(reference),
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue: CENTRAL_QUEUE,
          args: [{ image: reference }],
          staticSummary: `What ${reference} is`,
        });
        const result = client.withDeadline(Date.now() + PATIENCE_MS, () => looking.result());
        return ResolvedImage.parse(await result);
      } catch (error) {
        throw asImageProblem(error, reference);
      }
    },
  };
}

/** A request should not wait for a worker that nobody started. */
async function mustBeServed(client: Client): Promise<void> {
  if (await hasCentralWorker(client)) return;
  const advice = 'Only a central worker can look the image up: start one, and ask again.';
  throw new HttpProblem('no-central-worker', advice);
}

function asImageProblem(error: unknown, reference: string): unknown {
  const isLate = isGrpcDeadlineError(error) || (error instanceof Error && isGrpcDeadlineError(error.cause));
  if (isLate) return new HttpProblem('image-pending', `${reference} is being pulled. Ask again.`);
  if (!(error instanceof WorkflowFailedError)) return asProblem(error);
  const { cause } = error;
  const root = cause instanceof ActivityFailure ? cause.cause : cause;
  const detail = root instanceof ApplicationFailure ? root.message : `No answer: ${error.message}`;
  return new HttpProblem('image-unavailable', detail, [{ pointer: '/image', detail }]);
}
