/** What passes of the calls, without a network: what Temporal reads in a request is what the gateway has looked at. */
import * as fc from 'fast-check';
import { temporal as api } from '@temporalio/proto';
import { PASSED_CALLS, type PassedCall, type Scope } from '../../../server/gateway/calls';
import { Refusal } from '../../../server/gateway/refusal';
import { TokenKeys, type Task } from '../../../server/gateway/tokens';
import { MalformedMessage } from '../../../server/gateway/wire';
import { anyFields, damaged, write } from './protobufs';
import { SERVICE, messages, testKey } from './stage';

const { v1 } = messages;
const keys = new TokenKeys([testKey('k1')]);
const holder = { siteId: 'boston', namespace: 'muster' };
const scope: Scope = {
  ...holder,
  queue: 'site.boston',
  sealTask: (task) => keys.seal(task, holder),
  openTask: (sealed) => {
    const task = keys.open(sealed, holder);
    if (!task) throw new Refusal('task-token', 'not a token');
    return task;
  },
};
const task: Task = {
  token: Buffer.from('the real one'),
  workflowId: 'run-1',
  executionId: 'e',
  activity: 'a',
  activityId: '1',
  attempt: '1',
};
const taskToken = scope.sealTask(task);
const identity = 'me';
const namespace = 'muster';
const queue = { name: 'site.boston', kind: api.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL };
const workerHeartbeat = { workerInstanceKey: 'k', workerIdentity: 'w', taskQueue: 'site.boston' };
const details = { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('1') }] };
const workerVersion = { buildId: 'b', useVersioning: true };
const deploymentOptions = { deploymentName: 'd', buildId: 'b', workerVersioningMode: 2 };

function call(name: string): PassedCall {
  const found = PASSED_CALLS.get(SERVICE + name);
  if (!found) throw new Error(`${name} does not pass`);
  return found;
}

/** One good request of every kind, which says all that one may say. */
const requests = {
  DescribeNamespace: v1.DescribeNamespaceRequest.encode({ namespace }),
  PollActivityTaskQueue: v1.PollActivityTaskQueueRequest.encode({
    ...{ namespace, taskQueue: queue, identity, deploymentOptions, workerInstanceKey: 'k' },
    ...{ workerVersionCapabilities: workerVersion, workerControlTaskQueue: 'central' },
  }),
  RecordActivityTaskHeartbeat: v1.RecordActivityTaskHeartbeatRequest.encode({
    ...{ namespace, taskToken, identity, details, resourceId: 'workflow:other' },
  }),
  RespondActivityTaskCompleted: v1.RespondActivityTaskCompletedRequest.encode({
    ...{ namespace, taskToken, identity, result: details, resourceId: 'workflow:other' },
    ...{ workerVersion, deploymentOptions, deployment: { seriesName: 'd' } },
  }),
  RespondActivityTaskFailed: v1.RespondActivityTaskFailedRequest.encode({
    ...{ namespace, taskToken, identity, failure: { message: 'no' }, resourceId: 'workflow:other' },
    ...{ workerVersion, deploymentOptions, deployment: { seriesName: 'd' }, lastHeartbeatDetails: details },
  }),
  RespondActivityTaskCanceled: v1.RespondActivityTaskCanceledRequest.encode({
    ...{ namespace, taskToken, identity, details, resourceId: 'workflow:other' },
    ...{ workerVersion, deploymentOptions, deployment: { seriesName: 'd' } },
  }),
  ShutdownWorker: v1.ShutdownWorkerRequest.encode({
    ...{ namespace, identity, stickyTaskQueue: 'central', workerHeartbeat, workerInstanceKey: 'k' },
    taskQueue: 'site.boston',
  }),
  RecordWorkerHeartbeat: v1.RecordWorkerHeartbeatRequest.encode({
    ...{
      namespace,
      identity,
      workerHeartbeat: [workerHeartbeat, workerHeartbeat],
      resourceId: 'worker:other',
    },
  }),
};
type Name = keyof typeof requests;
const names = Object.keys(requests) as Name[];
const request = (name: Name) => Buffer.from(requests[name].finish());

/** What Temporal is sent of it. */
const token = task.token.toString('base64');
const said = { namespace, identity: 'site.boston/me' };
const about = { ...said, taskToken: token };
const worker = {
  workerInstanceKey: 'site.boston/k',
  workerIdentity: 'site.boston/w',
  taskQueue: 'site.boston',
};
const payloads = { payloads: [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'MQ==' }] };
const passed: Record<Name, object> = {
  DescribeNamespace: { namespace },
  PollActivityTaskQueue: {
    ...said,
    taskQueue: { name: 'site.boston', kind: 'TASK_QUEUE_KIND_NORMAL' },
    workerInstanceKey: 'site.boston/k',
  },
  RecordActivityTaskHeartbeat: { ...about, details: payloads },
  RespondActivityTaskCompleted: { ...about, result: payloads },
  RespondActivityTaskFailed: { ...about, failure: { message: 'no' }, lastHeartbeatDetails: payloads },
  RespondActivityTaskCanceled: { ...about, details: payloads },
  ShutdownWorker: {
    ...said,
    stickyTaskQueue: 'site.boston',
    workerHeartbeat: worker,
    workerInstanceKey: 'site.boston/k',
    taskQueue: 'site.boston',
  },
  RecordWorkerHeartbeat: { ...said, workerHeartbeat: [worker, worker] },
};

/** As Temporal reads what it is sent. */
const read = (name: Name, body: Uint8Array) =>
  v1[`${name}Request`].decode(body).toJSON() as Record<string, unknown>;

it('passes nine calls', () => {
  expect([...PASSED_CALLS.keys()].sort()).toEqual(
    [...names, 'GetSystemInfo'].map((name) => SERVICE + name).sort(),
  );
});

it.each(names)('passes %s of the site, in the name of the site', (name) => {
  const sent = call(name).check(request(name), scope);
  expect(read(name, sent.body)).toEqual(passed[name]);
  expect(sent.task).toEqual(/Task(Heartbeat|Comp|Fail|Canc)/.test(name) ? task : undefined);
});

it.each(names)('keeps of %s what it does not know', (name) => {
  fc.assert(
    fc.property(anyFields, (fields) => {
      const unknown = write(fields.filter((field) => field.number > 25));
      const [without, sent] = [request(name), Buffer.concat([request(name), unknown])].map(
        (body) => call(name).check(body, scope).body,
      );
      // New fields that the gateway adds come last.
      expect(sent!.includes(unknown)).toBe(true);
      expect(sent!.length).toBe(without!.length + unknown.length);
    }),
    { numRuns: 300 },
  );
});

it.each(names)('passes of a damaged %s only what is still of the site', (name) => {
  const good = fc.constant(request(name));
  const ofOther = request(name)
    .toString('latin1')
    .replaceAll('boston', 'london')
    .replaceAll('muster', 'others');
  const mixed = fc.oneof(good, fc.constant(Buffer.from(ofOther, 'latin1')), anyFields.map(write));
  fc.assert(
    fc.property(damaged(mixed), (body) => {
      let sent: Buffer;
      try {
        sent = call(name).check(body, scope).body;
      } catch (error) {
        if (!(error instanceof Refusal)) expect(error).toBeInstanceOf(MalformedMessage);
        return;
      }
      expectOwn(readable(name, sent));
    }),
    { numRuns: 10_000 },
  );
});

/** `undefined` for what Temporal would refuse. */
function readable(name: Name, sent: Buffer): Record<string, unknown> | undefined {
  try {
    return read(name, sent);
  } catch {
    return undefined;
  }
}

function expectOwn(found: Record<string, unknown> | undefined): void {
  if (!found) return;
  const { identity: name = said.identity, taskToken: shown = token, id = '', ...rest } = found;
  const { stickyTaskQueue = queue.name, taskQueue = queue.name, workerHeartbeat: workers = [] } = rest;
  expect([rest.namespace, shown, id, stickyTaskQueue]).toEqual([namespace, token, '', queue.name]);
  expect(name).toMatch(/^site\.boston\//);
  const kinds = [undefined, 'TASK_QUEUE_KIND_UNSPECIFIED', 'TASK_QUEUE_KIND_NORMAL'];
  if (typeof taskQueue === 'string') expect(taskQueue).toBe(queue.name);
  else expect(kinds.map((kind) => ({ name: queue.name, ...(kind && { kind }) }))).toContainEqual(taskQueue);
  for (const beat of [workers].flat() as Record<string, unknown>[]) {
    expect(beat.taskQueue).toBe(queue.name);
    expect(beat.workerIdentity).toMatch(/^site\.boston\//);
  }
}

describe('refuses', () => {
  const { TASK_QUEUE_KIND_STICKY } = api.api.enums.v1.TaskQueueKind;
  const poll = (change: api.api.workflowservice.v1.IPollActivityTaskQueueRequest) =>
    v1.PollActivityTaskQueueRequest.encode({ namespace, taskQueue: queue, ...change });
  const foreign = keys.seal(task, { ...holder, siteId: 'lyon' });
  it.each<[string, Name, { finish(): Uint8Array }, string]>([
    ['another namespace', 'PollActivityTaskQueue', poll({ namespace: 'default' }), 'other-namespace'],
    ['no namespace', 'PollActivityTaskQueue', poll({ namespace: '' }), 'other-namespace'],
    ['another queue', 'PollActivityTaskQueue', poll({ taskQueue: { name: 'central' } }), 'other-queue'],
    ['no queue', 'PollActivityTaskQueue', poll({ taskQueue: null }), 'other-queue'],
    [
      'a part of a queue',
      'PollActivityTaskQueue',
      poll({ taskQueue: { name: '/_sys/site.boston/1' } }),
      'other-queue',
    ],
    [
      'a sticky queue',
      'PollActivityTaskQueue',
      poll({ taskQueue: { ...queue, kind: TASK_QUEUE_KIND_STICKY } }),
      'other-queue',
    ],
    [
      'a queue in the name of another',
      'PollActivityTaskQueue',
      poll({ taskQueue: { ...queue, normalName: 'central' } }),
      'other-queue',
    ],
    [
      'a namespace by its id',
      'DescribeNamespace',
      v1.DescribeNamespaceRequest.encode({ namespace, id: 'some' }),
      'other-namespace',
    ],
    [
      'the token of another site',
      'RespondActivityTaskCompleted',
      v1.RespondActivityTaskCompletedRequest.encode({ namespace, taskToken: foreign }),
      'task-token',
    ],
    [
      'a call about no task',
      'RecordActivityTaskHeartbeat',
      v1.RecordActivityTaskHeartbeatRequest.encode({ namespace }),
      'task-token',
    ],
    [
      'a heartbeat of a worker elsewhere',
      'RecordWorkerHeartbeat',
      v1.RecordWorkerHeartbeatRequest.encode({
        namespace,
        workerHeartbeat: [workerHeartbeat, { taskQueue: 'site.lyon' }],
      }),
      'other-queue',
    ],
    [
      'the end of a worker elsewhere',
      'ShutdownWorker',
      v1.ShutdownWorkerRequest.encode({ namespace, taskQueue: 'central' }),
      'other-queue',
    ],
  ])('%s', (_, name, message, reason) => {
    let refusal: unknown;
    try {
      call(name).check(Buffer.from(message.finish()), scope);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ reason });
  });
});

describe('answers', () => {
  it('a poll with a token of its own', () => {
    const answer = v1.PollActivityTaskQueueResponse.encode({
      taskToken: Buffer.from('t'),
      workflowExecution: { workflowId: 'run-1', runId: 'e' },
      activityType: { name: 'launchEdgeNode' },
      activityId: '5',
      attempt: 3,
      input: details,
    }).finish();
    const shown = call('PollActivityTaskQueue').answer(Buffer.from(answer), scope);
    const seen = v1.PollActivityTaskQueueResponse.decode(shown);
    const real = v1.PollActivityTaskQueueResponse.decode(answer);
    expect(seen.toJSON()).toEqual({
      ...real.toJSON(),
      taskToken: Buffer.from(seen.taskToken).toString('base64'),
    });
    expect(scope.openTask(Buffer.from(seen.taskToken))).toEqual({
      token: Buffer.from('t'),
      workflowId: 'run-1',
      executionId: 'e',
      activity: 'launchEdgeNode',
      activityId: '5',
      attempt: '3',
    });
  });

  it('an empty poll as it is', () => {
    expect(call('PollActivityTaskQueue').answer(Buffer.alloc(0), scope)).toEqual(Buffer.alloc(0));
  });

  it('of the namespace only what a worker needs', () => {
    const answer = v1.DescribeNamespaceResponse.encode({
      namespaceInfo: {
        name: namespace,
        id: 'secret',
        description: 'secret',
        ownerEmail: 'secret',
        data: { secret: 'secret' },
        capabilities: { workerHeartbeats: true, workflowPause: true, workerCommands: true },
        limits: {
          blobSizeLimitError: api.api.namespace.v1.NamespaceInfo.Limits.fromObject({ blobSizeLimitError: 5 })
            .blobSizeLimitError,
        },
      },
      config: { historyArchivalUri: 'secret' },
      replicationConfig: { activeClusterName: 'secret' },
    }).finish();
    const shown = call('DescribeNamespace').answer(Buffer.from(answer), scope);
    expect(v1.DescribeNamespaceResponse.decode(shown).toJSON()).toEqual({
      namespaceInfo: {
        name: namespace,
        capabilities: { workerHeartbeats: true },
        limits: { blobSizeLimitError: '5' },
      },
    });
  });
});
