/**
 * The calls that pass: what an activity worker needs, and what of each a site may say. Whatever is not listed here is
 * refused. Field numbers are those of `temporal.api.workflowservice.v1`.
 */
import { activityTaskPayloads, failedActivityPayloads, resultPayloads, type PayloadPlaces } from './payloads';
import { Refusal } from './refusal';
import type { Task } from './tokens';
import { Wire, bytesField, each, edit, fieldsOf, number, once, type Edits, type FieldEdit } from './wire';

/** Whose call it is. */
export interface Scope {
  siteId: string;
  namespace: string;
  /** The one queue of the site. */
  queue: string;
  sealTask(task: Task): Buffer;
  /** @throws Refusal */
  openTask(sealed: Buffer): Task;
}

export interface CheckedRequest {
  /** What Temporal is sent. */
  body: Buffer;
  /** The task that the call is about. */
  task?: Task;
}

export type CallKind =
  | 'about' // Temporal and the namespace
  | 'poll' // waits for a task
  | 'heartbeat'
  | 'outcome' // the end of a task
  | 'worker'; // the worker about itself

export interface PassedCall {
  readonly name: string;
  readonly kind: CallKind;
  /** @throws Refusal, MalformedMessage */
  check(request: Buffer, scope: Scope): CheckedRequest;
  /** What the site gets of Temporal's answer. */
  answer(answer: Buffer, scope: Scope): Buffer;
  /** Payloads from the site, to be sealed. */
  readonly sent?: PayloadPlaces;
  /** Payloads for the site, to be opened. */
  readonly received?: PayloadPlaces;
}

// ---------------------------------------------------------------- what a field may hold

const drop = each(() => undefined);

const text = (content: Buffer | undefined): string => content?.toString() ?? '';

function ownNamespace({ namespace }: Scope): FieldEdit {
  return once((content) => {
    if (text(content) === namespace) return content;
    throw new Refusal('other-namespace', 'sites have no access to this namespace');
  });
}

function ownQueueName({ queue }: Scope): FieldEdit {
  return once((content) => {
    if (text(content) === queue) return content;
    throw new Refusal('other-queue', `this site's task queue is ${queue}`);
  });
}

const NORMAL_QUEUE = 1n;

/** `temporal.api.taskqueue.v1.TaskQueue` */
function ownQueue(scope: Scope): FieldEdit {
  return once((content) =>
    edit(content ?? Buffer.alloc(0), {
      1: ownQueueName(scope),
      2: number((kind) => {
        if (kind === undefined || kind === 0n || kind === NORMAL_QUEUE) return;
        throw new Refusal('other-queue', 'only an ordinary task queue may be polled');
      }),
      // The queue that a sticky one stands for.
      3: once((content) => {
        if (text(content) === '') return content;
        throw new Refusal('other-queue', 'only an ordinary task queue may be polled');
      }),
    }),
  );
}

/** Workers name themselves: with the site in front, none can pass for one of another site or of the centre. */
function ownName({ queue }: Scope): FieldEdit {
  return once((content) => Buffer.concat([Buffer.from(`${queue}/`), content ?? Buffer.alloc(0)]));
}

function ownToken(scope: Scope, found: (task: Task) => void): FieldEdit {
  return once((content) => {
    const task = scope.openTask(content ?? Buffer.alloc(0));
    found(task);
    return task.token;
  });
}

/** `temporal.api.worker.v1.WorkerHeartbeat` */
function ownWorker(scope: Scope): FieldEdit {
  return each((content) =>
    edit(content, {
      1: ownName(scope),
      2: ownName(scope),
      4: ownQueueName(scope),
      // Workers of sites have no versions.
      5: drop,
    }),
  );
}

// ---------------------------------------------------------------- the calls

const asItIs = (answer: Buffer) => answer;

const getSystemInfo: PassedCall = {
  name: 'GetSystemInfo',
  kind: 'about',
  check: () => ({ body: Buffer.alloc(0) }),
  answer: asItIs,
};

/** The capabilities of a namespace that an activity worker acts on: heartbeats of workers, polls that end with them, scaling. */
const WORKER_CAPABILITIES = new Set([4, 8, 9]);

const describeNamespace: PassedCall = {
  name: 'DescribeNamespace',
  kind: 'about',
  check: (request, scope) => ({
    body: edit(request, {
      1: ownNamespace(scope),
      2: once((content) => {
        if (text(content) === '') return content;
        throw new Refusal('other-namespace', 'a namespace is asked for by its name');
      }),
    }),
  }),
  answer: (answer, { namespace }) => {
    const kept: Buffer[] = [];
    const keep = (fieldNumber: number, reduce = asItIs) =>
      each((content) => {
        kept.push(bytesField(fieldNumber, reduce(content)));
        return content;
      });
    edit(answer, {
      1: each((info) => edit(info, { 7: keep(7, (all) => numbersOf(all, WORKER_CAPABILITIES)), 8: keep(8) })),
    });
    return bytesField(1, Buffer.concat([bytesField(1, Buffer.from(namespace)), ...kept]));
  },
};

const pollActivityTaskQueue: PassedCall = {
  name: 'PollActivityTaskQueue',
  kind: 'poll',
  check: (request, scope) => ({
    body: edit(request, {
      1: ownNamespace(scope),
      2: ownQueue(scope),
      3: ownName(scope),
      // A worker's version makes deployments known to all of the namespace, and starts workflows that keep them.
      5: drop,
      6: drop,
      8: ownName(scope),
      // Temporal would send commands to the queue that is named here.
      9: drop,
    }),
  }),
  answer: (answer, scope) => {
    const task = taskOf(answer);
    // Nothing to do until the poll ended.
    if (task.token.length === 0) return answer;
    return edit(answer, { 1: once(() => scope.sealTask(task)) });
  },
  received: activityTaskPayloads,
};

const recordActivityTaskHeartbeat = taskCall({
  name: 'RecordActivityTaskHeartbeat',
  kind: 'heartbeat',
  fields: { 5: drop },
  sent: resultPayloads,
});

const respondActivityTaskCompleted = taskCall({
  name: 'RespondActivityTaskCompleted',
  kind: 'outcome',
  fields: { 5: drop, 6: drop, 7: drop, 8: drop },
  sent: resultPayloads,
});

const respondActivityTaskFailed = taskCall({
  name: 'RespondActivityTaskFailed',
  kind: 'outcome',
  fields: { 6: drop, 7: drop, 8: drop, 9: drop },
  sent: failedActivityPayloads,
});

const respondActivityTaskCanceled = taskCall({
  name: 'RespondActivityTaskCanceled',
  kind: 'outcome',
  fields: { 5: drop, 6: drop, 7: drop, 8: drop },
  sent: resultPayloads,
});

/**
 * A call about a task.
 * @param fields what it says besides: the worker's version, and where a proxy of Temporal's would route the call to
 */
function taskCall(
  call: Pick<PassedCall, 'name' | 'kind'> & { fields: Edits; sent: PayloadPlaces },
): PassedCall {
  return {
    ...call,
    check: (request, scope) => {
      let task: Task | undefined;
      const body = edit(request, {
        ...call.fields,
        1: ownToken(scope, (found) => (task = found)),
        3: ownName(scope),
        4: ownNamespace(scope),
      });
      return { body, ...(task && { task }) };
    },
    answer: asItIs,
  };
}

const shutdownWorker: PassedCall = {
  name: 'ShutdownWorker',
  kind: 'worker',
  check: (request, scope) => ({
    body: edit(request, {
      1: ownNamespace(scope),
      // Temporal unloads the workflow queue that is named here, whosever it is; of a site there is none.
      2: once(() => Buffer.from(scope.queue)),
      3: ownName(scope),
      5: ownWorker(scope),
      6: ownName(scope),
      7: once((content) => ownedOrAbsent(content, scope)),
    }),
  }),
  answer: asItIs,
};

function ownedOrAbsent(content: Buffer | undefined, { queue }: Scope): Buffer | undefined {
  if (content === undefined || text(content) === queue) return content;
  throw new Refusal('other-queue', `this site's task queue is ${queue}`);
}

const recordWorkerHeartbeat: PassedCall = {
  name: 'RecordWorkerHeartbeat',
  kind: 'worker',
  check: (request, scope) => ({
    body: edit(request, {
      1: ownNamespace(scope),
      2: ownName(scope),
      3: ownWorker(scope),
      4: drop,
    }),
  }),
  answer: asItIs,
};

const SERVICE = '/temporal.api.workflowservice.v1.WorkflowService/';

/** By the path that a call names. */
export const PASSED_CALLS: ReadonlyMap<string, PassedCall> = new Map(
  [
    getSystemInfo,
    describeNamespace,
    pollActivityTaskQueue,
    recordActivityTaskHeartbeat,
    respondActivityTaskCompleted,
    respondActivityTaskFailed,
    respondActivityTaskCanceled,
    shutdownWorker,
    recordWorkerHeartbeat,
  ].map((call) => [SERVICE + call.name, call]),
);

// ---------------------------------------------------------------- reading answers

/** `PollActivityTaskQueueResponse` */
function taskOf(answer: Buffer): Task {
  const task: Task = {
    token: Buffer.alloc(0),
    workflowId: '',
    executionId: '',
    activity: '',
    activityId: '',
    attempt: '',
  };
  const read = (store: (content: Buffer) => void) => each((content) => (store(content), content));
  edit(answer, {
    1: read((content) => (task.token = content)),
    4: each((execution) =>
      edit(execution, {
        1: read((content) => (task.workflowId = text(content))),
        2: read((content) => (task.executionId = text(content))),
      }),
    ),
    5: each((type) => edit(type, { 1: read((content) => (task.activity = text(content))) })),
    6: read((content) => (task.activityId = text(content))),
    13: number((attempt) => (task.attempt = String(attempt ?? 0n))),
  });
  return task;
}

/** The message with only these of its numbers. */
function numbersOf(message: Buffer, kept: ReadonlySet<number>): Buffer {
  const parts: Buffer[] = [];
  for (const field of fieldsOf(message))
    if (kept.has(field.number) && field.wire === Wire.varint)
      parts.push(message.subarray(field.start, field.end));
  return Buffer.concat(parts);
}
