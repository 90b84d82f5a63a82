/**
 * What all activities of a worker have in common, around each of them: the input is checked, the worker's life is shown by
 * heartbeats, a failure is logged with its stack, told to the central API in the words of the taxonomy, and a worker's
 * shutdown is told apart from a stop.
 */
import type { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  ActivityInterceptors,
  Next,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import { z } from 'zod';
import { ApiProblem, mayPass } from '../../client/errors';
import { errorCode } from '../../nodes/error-code';
import { timeLimit } from '../../time/limit';
import { LaunchId, NodeName, RunId, SiteId, type NodeError } from '../../workflows/contract';
import { failure, isFailureType, isWait } from '../../workflows/errors';
import type { ErrorReportBody } from '../../workflows/api-contract';
import { interruptionOf, willRetry, type Interruption } from './attempt';

const HEARTBEAT_MS = 1_000;
const REPORT_TIMEOUT_MS = 5_000;
const DISK_FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

export interface ActivityRules {
  log: Logger;
  /** Schema of each activity's input, by activity name. */
  inputs: Readonly<Record<string, z.ZodType>>;
  /** The node that is meant where an input names none: a central worker's central node, a site's own node. */
  ownNode: string;
  /** Tells the central API of a failure. */
  reportError(runId: string, body: ErrorReportBody, signal: AbortSignal): Promise<void>;
  /** Activities whose failures are not reported to the API, since they are calls to it. */
  silent: readonly string[];
}

/** The interceptor for `interceptors.activity` of a worker. */
export function createActivityRules(rules: ActivityRules): (context: Context) => ActivityInterceptors {
  const waits: Waits = new Map();
  return (context) => ({ inbound: new Rules(rules, context, waits) });
}

/**
 * Why each launch waits here, as it was told last. A wait may last for hours and is looked at again every few seconds: it is
 * told when it begins or changes, and with each first attempt.
 */
type Waits = Map<string, string>;

/** As much of any input as says where a failure belongs. */
const Whereabouts = z.object({
  runId: RunId,
  launchId: LaunchId,
  node: NodeName.optional(),
  site: z.object({ id: SiteId }).optional(),
});

class Rules implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly rules: ActivityRules,
    private readonly context: Context,
    private readonly waits: Waits,
  ) {}

  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    const beat = this.startHeartbeat();
    try {
      const result = await next({ ...input, args: [this.checked(input.args[0])] });
      this.waits.delete(this.waitOf(input.args[0]));
      return result;
    } catch (error) {
      throw await this.settle(error, input.args[0]);
    } finally {
      clearInterval(beat);
    }
  }

  private startHeartbeat(): NodeJS.Timeout | undefined {
    if (this.context.info.heartbeatTimeoutMs === undefined) return undefined;
    return setInterval(() => this.context.heartbeat(), HEARTBEAT_MS);
  }

  private checked(input: unknown): unknown {
    const { activityType } = this.context.info;
    const schema = this.rules.inputs[activityType];
    const parsed = schema?.safeParse(input);
    if (!parsed) throw failure('InvalidRunInput', `no input is agreed for ${activityType}`);
    if (parsed.success) return parsed.data;
    throw failure('InvalidRunInput', `${activityType}: ${z.prettifyError(parsed.error)}`);
  }

  /** What is thrown to Temporal instead of `error`, after it was logged and reported. */
  private async settle(error: unknown, input: unknown): Promise<unknown> {
    const where = Whereabouts.safeParse(input).data;
    const { activityType: activity, attempt } = this.context.info;
    const about = { activity, attempt, ...where, node: this.nodeOf(where) };
    const interruption = interruptionOf(this.context);
    if (interruption !== undefined) return this.interrupted(interruption, error, about);
    const known = asFailure(error);
    if (known.category === ApplicationFailureCategory.BENIGN) {
      this.rules.log.info({ ...about, reason: known.message }, 'activity ended by a stop');
      return known;
    }
    if (isWait(known.type)) {
      if (this.isToldAlready(known, input)) return known;
      this.rules.log.info({ ...about, reason: known.message }, 'the run waits');
    } else {
      this.waits.delete(this.waitOf(input));
      this.rules.log.error({ err: error, ...about }, 'activity failed');
    }
    if (where && !this.rules.silent.includes(activity)) await this.report(known, where);
    return known;
  }

  /** Whether all that there is to say of a wait was said before. */
  private isToldAlready({ message }: ApplicationFailure, input: unknown): boolean {
    const wait = this.waitOf(input);
    const isOld = this.context.info.attempt > 1 && this.waits.get(wait) === message;
    this.waits.set(wait, message);
    return isOld;
  }

  private waitOf(input: unknown): string {
    const { runId = '', launchId = '' } = Whereabouts.safeParse(input).data ?? {};
    return `${this.context.info.activityType} ${runId}.${launchId}`;
  }

  /** A worker that shuts down hands its work on; only what the server no longer waits for ends as cancelled. */
  private interrupted(interruption: Interruption, error: unknown, about: object): unknown {
    const reason: unknown = this.context.cancellationSignal.reason;
    if (error !== reason) this.rules.log.warn({ err: error, ...about }, `failed while being ${interruption}`);
    if (interruption !== 'shutdown') return reason;
    return ApplicationFailure.create({
      type: 'Internal',
      message: 'the worker is shutting down',
      nextRetryDelay: '200ms',
    });
  }

  private async report(known: ApplicationFailure, where: z.output<typeof Whereabouts>): Promise<void> {
    const error: NodeError = {
      node: this.nodeOf(where),
      phase: this.context.info.activityType,
      type: known.type ?? 'Internal',
      message: known.message.slice(0, 4000),
    };
    const body = {
      launchId: where.launchId,
      error,
      retrying: willRetry(this.context.info, known),
      at: Date.now(),
    };
    try {
      await this.rules.reportError(where.runId, body, timeLimit(REPORT_TIMEOUT_MS));
    } catch (err) {
      // The failure reaches the run by Temporal all the same; the log of the API lacks only this attempt.
      this.rules.log.warn({ err, ...where }, 'failure not reported to the central API');
    }
  }

  private nodeOf(where: z.output<typeof Whereabouts> | undefined): string {
    return where?.node ?? where?.site?.id ?? this.rules.ownNode;
  }
}

/** Anything thrown, in the words of the taxonomy; a refusal of the central API is final, for asking again changes nothing. */
function asFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure && error.type && isFailureType(error.type)) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (DISK_FULL.has(errorCode(error) ?? '')) return failure('DiskFull', message);
  const refused = error instanceof ApiProblem && !mayPass(error);
  return ApplicationFailure.create({ type: 'Internal', message, nonRetryable: refused });
}
