/** What passes of the calls, without a network: what Temporal reads in a request is what the gateway has looked at. */
import * as fc from 'fast-check';
import { temporal as api } from '@temporalio/proto';
import { PASSED_CALLS } from '../../../server/gateway/calls';
import { anyFields, write } from './protobufs';
import {
  call,
  details,
  holder,
  keys,
  names,
  namespace,
  queue,
  read,
  request,
  scope,
  task,
  workerHeartbeat,
  type Name,
} from './requests';
import { SERVICE, messages } from './raw-site';

const { v1 } = messages;

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
