/** Runs as Temporal knows them: how they are started, spoken to, and asked how they are. */
import {
  Client,
  Connection,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
  type WorkflowHandle,
} from '@temporalio/client';
import { NamespaceNotFoundError, defineSearchAttributeKey, type SignalDefinition } from '@temporalio/common';
import { temporal as proto } from '@temporalio/proto';
import { z } from 'zod';
import type { NamedKeys } from '../../sealing/key-ring';
import { sealedHistories } from '../../sealing/payload-codec';
import {
  CENTRAL_QUEUE,
  LaunchId,
  RUN_WORKFLOW,
  errorSignal,
  retrySignal,
  snapshotQuery,
  statusSignal,
  stopSignal,
  type ErrorSignal,
  type RetrySignal,
  type RunInput,
  type StatusSignal,
  type StopSignal,
} from '../../workflows/contract';
import { forTemporalSdk, type TlsMaterial } from '../../certificates/tls-files';
import type { TemporalConfig } from '../config';
import { HttpProblem } from '../problem';
import type { Ending } from '../projection';
import { hasCentralWorker } from './central-workers';

/** A run that Temporal has: at work, or ended. */
export type Condition =
  /** `execution`: Temporal's id of the execution, which a reset changes. */
  { execution: string; open: true } | { execution: string; open: false; ending: Ending };

/** `isNew`: not the answer to the same request once more. */
export interface Reset {
  execution: string;
  isNew: boolean;
}

/** Every call throws HttpProblem `temporal-unreachable` or `temporal-refused` when it fails for no fault of the run. */
export interface Runs {
  /** Starts the run unless Temporal has, or had, one of this id. */
  start(runId: string, input: RunInput, words: { summary: string; details: string }): Promise<void>;
  /** Tells the run something; answers whether there was an open run to tell. */
  signalStatus(runId: string, status: StatusSignal): Promise<boolean>;
  signalError(runId: string, failed: ErrorSignal): Promise<boolean>;
  signalStop(runId: string, stop: StopSignal): Promise<boolean>;
  signalRetry(runId: string, retry: RetrySignal): Promise<boolean>;
  /**
   * Lets the run begin anew, whatever has become of it: a new execution of the same id, with the input of the first.
   * `undefined`: there was nothing to do, for the run is about to begin as it is.
   * @param requestId the same once more changes nothing
   */
  reset(runId: string, reason: string, requestId: string): Promise<Reset | undefined>;
  /** `undefined`: Temporal knows no such run. */
  describe(runId: string): Promise<Condition | undefined>;
  /** Whether a workflow of this type and id is at work; `undefined`: Temporal knows none. */
  isOpen(workflowId: string, type: string): Promise<boolean | undefined>;
  /** The launch that an open run says is its current one; `undefined`: it cannot say, for want of a worker or so early. */
  currentLaunch(runId: string): Promise<string | undefined>;
  /** Resolves when Temporal answers and has the namespace. */
  check(): Promise<void>;
  /** Whether a central worker asks for work. */
  hasCentralWorker(): Promise<boolean>;
}

const MUSTER_CONSORTIUM = defineSearchAttributeKey('MusterConsortium', 'KEYWORD');
const MUSTER_STATUS = defineSearchAttributeKey('MusterStatus', 'KEYWORD');
/** Someone waits for the answer, and can ask again. */
const PATIENCE_MS = 5_000;
const MAX_ATTEMPTS = 5;
/** Only a central worker can answer a query, and there may be none. */
const QUERY_MS = 2_000;
/** The first workflow task ends among these, however many signals came before it. */
const FIRST_EVENTS = 1000;

type EventId = NonNullable<
  Parameters<Client['workflowService']['resetWorkflowExecution']>[0]['workflowTaskFinishEventId']
>;

/** A connection that is made when it is first needed, so that the API also starts while Temporal does not answer. */
export function connectTemporal(
  { address, namespace }: Pick<TemporalConfig, 'address' | 'namespace'>,
  payloadKeys: NamedKeys,
  tls?: TlsMaterial,
): Client {
  const connection = Connection.lazy({
    address,
    ...(tls && { tls: forTemporalSdk(tls) }),
    connectTimeout: PATIENCE_MS,
    interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: MAX_ATTEMPTS }))],
  });
  return new Client({ connection, namespace, dataConverter: sealedHistories(payloadKeys) });
}

export function createRuns(client: Client): Runs {
  const call = async <T>(request: () => Promise<T>): Promise<T> => {
    try {
      return await client.withDeadline(Date.now() + PATIENCE_MS, request);
    } catch (error) {
      throw asProblem(error);
    }
  };

  const signal = <Payload>(runId: string, definition: SignalDefinition<[Payload]>, payload: Payload) =>
    call(async () => {
      try {
        await client.workflow.getHandle(runId).signal(definition, payload);
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    });

  return {
    hasCentralWorker: () => call(() => hasCentralWorker(client)),
    start: (runId, input, { summary, details }) =>
      call(async () => {
        try {
          await client.workflow.start(RUN_WORKFLOW, {
            workflowId: runId,
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            taskQueue: CENTRAL_QUEUE,
            args: [input],
            typedSearchAttributes: [
              { key: MUSTER_CONSORTIUM, value: input.consortium.id },
              { key: MUSTER_STATUS, value: 'provisioning' },
            ],
            staticSummary: summary,
            staticDetails: details,
          });
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        }
      }),
    signalStatus: (runId, status) => signal(runId, statusSignal, status),
    signalError: (runId, failed) => signal(runId, errorSignal, failed),
    signalStop: (runId, stop) => signal(runId, stopSignal, stop),
    signalRetry: (runId, retry) => signal(runId, retrySignal, retry),
    reset: (runId, reason, requestId) =>
      call(async () => {
        const { namespace } = client.options;
        const workflowTaskFinishEventId = await firstTaskOf(client, runId);
        if (workflowTaskFinishEventId === undefined) {
          if (await isOpen(client.workflow.getHandle(runId), RUN_WORKFLOW)) return undefined;
          throw new HttpProblem('run-not-begun', `Run ${runId} ended before it began: start a new run.`);
        }
        const { runId: before } = await client.workflow.getHandle(runId).describe();
        const { runId: execution } = await client.workflowService.resetWorkflowExecution({
          ...{ namespace, workflowExecution: { workflowId: runId }, reason, requestId },
          workflowTaskFinishEventId,
          // What the run was told before concerned what it was then.
          resetReapplyType: proto.api.enums.v1.ResetReapplyType.RESET_REAPPLY_TYPE_NONE,
        });
        return { execution, isNew: execution !== before };
      }),
    describe: (runId) => call(() => describe(client.workflow.getHandle(runId))),
    isOpen: (workflowId, type) => call(() => isOpen(client.workflow.getHandle(workflowId), type)),
    currentLaunch: async (runId) => {
      try {
        const ask = () => client.workflow.getHandle(runId).query(snapshotQuery);
        return Said.parse(await client.withDeadline(Date.now() + QUERY_MS, ask)).run.launchId;
      } catch {
        return undefined;
      }
    },
    check: () =>
      call(async () => {
        await client.workflowService.describeNamespace({ namespace: client.options.namespace });
      }),
  };
}

/** The event with which the first workflow task ended: before it the run has done nothing yet. */
async function firstTaskOf(client: Client, runId: string): Promise<EventId | undefined> {
  const asked = client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId: runId },
    maximumPageSize: FIRST_EVENTS,
  });
  const { history } = await asked.catch((error: unknown) => {
    if (!isGrpcServiceError(error) || !NOT_FOUND.has(error.code)) throw error;
    throw new HttpProblem(
      'unknown-run',
      `Temporal no longer has the history of run ${runId}: start a new run.`,
    );
  });
  const first = history?.events?.find(({ workflowTaskCompletedEventAttributes: done }) => done != null);
  return first?.eventId ?? undefined;
}

async function describe(handle: WorkflowHandle): Promise<Condition | undefined> {
  try {
    const { runId: execution, status, closeTime, type } = await handle.describe();
    if (type !== RUN_WORKFLOW) return undefined;
    if (closeTime === undefined) return { execution, open: true };
    return {
      execution,
      open: false,
      ending: { at: closeTime.getTime(), ...(await readEnding(handle, status.name)) },
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

async function isOpen(handle: WorkflowHandle, type: string): Promise<boolean | undefined> {
  try {
    const found = await handle.describe();
    return found.type === type ? found.closeTime === undefined : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** As much of a run's answer as is read here. */
const Said = z.object({ run: z.object({ launchId: LaunchId.optional() }) });

const Result = z.object({ status: z.enum(['complete', 'stopped']) });

/** What became of a run whose workflow is closed. */
async function readEnding(handle: WorkflowHandle, status: string): Promise<Omit<Ending, 'at'>> {
  try {
    const result = Result.safeParse(await handle.result());
    if (result.success) return { state: result.data.status };
    return { state: 'failed', reason: 'The workflow ended without a result that is known here.' };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    if (status === 'CANCELLED') return { state: 'stopped' };
    const said = error.cause?.message ?? '';
    const how = ENDINGS[status] ?? `The workflow is ${status.toLowerCase()} in Temporal`;
    return { state: 'failed', reason: (said === '' ? `${how}.` : `${how}: ${said}`).slice(0, 4000) };
  }
}

const ENDINGS: Readonly<Record<string, string>> = {
  FAILED: 'The workflow failed in Temporal',
  TERMINATED: 'The workflow was terminated in Temporal',
  TIMED_OUT: 'The workflow timed out in Temporal',
};

const NOT_FOUND = new Set([5]);
const UNREACHABLE = new Set([1, 4, 8, 14]);

/** What a failed call to Temporal is to whoever asked. gRPC's cancelled, deadline exceeded, resource exhausted and unavailable are about the way to Temporal. */
export function asProblem(error: unknown): unknown {
  if (error instanceof HttpProblem) return error;
  if (error instanceof NamespaceNotFoundError)
    return new HttpProblem('temporal-refused', `Temporal has no namespace ${error.namespace}.`);
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause)) return error;
  if (UNREACHABLE.has(cause.code))
    return new HttpProblem('temporal-unreachable', `Temporal does not answer (${cause.details}). Try again.`);
  return new HttpProblem('temporal-refused', `Temporal refused: ${cause.details}.`);
}
