/** How a notice gets to Temporal, which has it sent. */
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { CENTRAL_QUEUE } from '../../workflows/contract';
import { NOTICE_WORKFLOW, type NoticeInput } from '../../workflows/notice-delivery';
import { asProblem } from '../runs/temporal';

export interface Post {
  /** Has it sent, unless Temporal has, or had, it already. @throws HttpProblem `temporal-unreachable`, `temporal-refused` */
  send(input: NoticeInput, about: { consortiumId: string; summary: string }): Promise<void>;
}

const PATIENCE_MS = 5_000;
const MUSTER_CONSORTIUM = defineSearchAttributeKey('MusterConsortium', 'KEYWORD');

export function createPost(client: Client): Post {
  return {
    async send(input, { consortiumId, summary }) {
      try {
        await client.withDeadline(Date.now() + PATIENCE_MS, () =>
          client.workflow.start(NOTICE_WORKFLOW, {
            workflowId: input.deliveryId,
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            taskQueue: CENTRAL_QUEUE,
            args: [input],
            typedSearchAttributes: [{ key: MUSTER_CONSORTIUM, value: consortiumId }],
            staticSummary: summary,
          }),
        );
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw asProblem(error);
      }
    },
  };
}
