/** A workflow that is decided by the test, command by command: no code of a workflow is needed to have activities done. */
import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import {
  decodeOptionalFailureToOptionalError,
  loadDataConverter,
} from '@temporalio/common/lib/internal-non-workflow';
import { msToTs } from '@temporalio/common/lib/time';
import { temporal as api } from '@temporalio/proto';
import { opened, testCodec, testHistories } from '../../support/sealed';
import type { TestTemporal } from '../../support/temporal';

type HistoryEvent = api.api.history.v1.IHistoryEvent;
type Schedule = api.api.command.v1.IScheduleActivityTaskCommandAttributes;

export interface ActivityWanted extends Omit<Schedule, 'input' | 'taskQueue' | 'activityType'> {
  queue: string;
  type: string;
  args?: unknown[];
}

const { CommandType } = api.api.enums.v1;
const POLL_MS = 60_000;
const ENDS = [
  'activityTaskCompletedEventAttributes',
  'activityTaskFailedEventAttributes',
  'activityTaskCanceledEventAttributes',
  'activityTaskTimedOutEventAttributes',
] as const;

export class ScriptedWorkflow {
  private constructor(
    private readonly temporal: TestTemporal,
    readonly workflowId: string,
    private readonly queue: string,
    private events: HistoryEvent[] = [],
    private taskToken: Uint8Array = new Uint8Array(),
  ) {}

  static async start(temporal: TestTemporal): Promise<ScriptedWorkflow> {
    const workflowId = `run-${randomUUID()}`;
    const workflow = new ScriptedWorkflow(temporal, workflowId, `decided-${workflowId}`);
    await temporal.connection.workflowService.startWorkflowExecution({
      namespace: temporal.namespace,
      workflowId,
      workflowType: { name: 'Scripted' },
      taskQueue: { name: workflow.queue },
      requestId: randomUUID(),
    });
    await workflow.nextTask();
    return workflow;
  }

  /** Has an activity done; goes on once it is scheduled. */
  async schedule({ queue, type, args = [], ...more }: ActivityWanted): Promise<void> {
    await this.decide({
      commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
      scheduleActivityTaskCommandAttributes: {
        activityId: randomUUID(),
        activityType: { name: type },
        taskQueue: { name: queue },
        input: {
          payloads: await testCodec.encode(args.map((arg) => defaultPayloadConverter.toPayload(arg))),
        },
        startToCloseTimeout: msToTs(30_000),
        scheduleToCloseTimeout: msToTs(60_000),
        retryPolicy: { maximumAttempts: 1 },
        ...more,
      },
    });
  }

  /** Waits for the end of the activity, and answers the event that tells it. */
  async end(): Promise<HistoryEvent> {
    for (;;) {
      const ended = this.events.find((event) => ENDS.some((kind) => event[kind]));
      if (ended) return ended;
      await this.nextTask();
    }
  }

  /** What the activity answered. */
  async result(): Promise<unknown> {
    const completed = (await this.end()).activityTaskCompletedEventAttributes;
    if (!completed) throw new Error('the activity did not complete');
    const [result] = await opened(completed.result?.payloads);
    return result;
  }

  /** The activity's failure, as a workflow would catch it. */
  async failure(): Promise<Error | undefined> {
    const { failure } = (await this.end()).activityTaskFailedEventAttributes ?? {};
    if (!failure) throw new Error('the activity did not fail');
    return decodeOptionalFailureToOptionalError(loadDataConverter(testHistories), failure);
  }

  /** Asks for the activity to be cancelled. */
  async cancelActivity(): Promise<void> {
    await this.temporal.client.workflow.getHandle(this.workflowId).signal('go-on');
    await this.nextTask();
    const scheduled = this.events.find((event) => event.activityTaskScheduledEventAttributes);
    await this.decide({
      commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
      requestCancelActivityTaskCommandAttributes: { scheduledEventId: scheduled!.eventId! },
    });
  }

  /** Every event so far. */
  async history(): Promise<HistoryEvent[]> {
    const { history } = await this.temporal.connection.workflowService.getWorkflowExecutionHistory({
      namespace: this.temporal.namespace,
      execution: { workflowId: this.workflowId },
    });
    return history?.events ?? [];
  }

  private async nextTask(): Promise<void> {
    const { connection, namespace } = this.temporal;
    for (;;) {
      const taskQueue = { name: this.queue };
      const task = await connection.withDeadline(Date.now() + POLL_MS, () =>
        connection.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue }),
      );
      if (task.taskToken.length === 0) continue;
      this.taskToken = task.taskToken;
      this.events = task.history?.events ?? [];
      return;
    }
  }

  private async decide(command: api.api.command.v1.ICommand): Promise<void> {
    await this.temporal.connection.workflowService.respondWorkflowTaskCompleted({
      namespace: this.temporal.namespace,
      taskToken: this.taskToken,
      commands: [command],
    });
  }
}
