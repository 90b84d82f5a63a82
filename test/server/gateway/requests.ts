/** One good request of each call that passes, whose it is, and what has to hold of whatever Temporal is sent. */
import { temporal as api } from '@temporalio/proto';
import { PASSED_CALLS, type PassedCall, type Scope } from '../../../server/gateway/calls';
import { Refusal } from '../../../server/gateway/refusal';
import { TokenKeys, type Task } from '../../../server/gateway/tokens';
import { SERVICE, messages } from './raw-site';
import { testKey } from './stage';

const { v1 } = messages;
export const keys = new TokenKeys([testKey('k1')]);
export const holder = { siteId: 'boston', namespace: 'muster' };
export const scope: Scope = {
  ...holder,
  queue: 'site.boston',
  sealTask: (task) => keys.seal(task, holder),
  openTask: (sealed) => {
    const task = keys.open(sealed, holder);
    if (!task) throw new Refusal('task-token', 'not a token');
    return task;
  },
};
export const task: Task = {
  token: Buffer.from('the real one'),
  workflowId: 'run-1',
  executionId: 'e',
  activity: 'a',
  activityId: '1',
  attempt: '1',
};
export const taskToken = scope.sealTask(task);
export const identity = 'me';
export const namespace = 'muster';
export const queue = { name: 'site.boston', kind: api.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL };
export const workerHeartbeat = { workerInstanceKey: 'k', workerIdentity: 'w', taskQueue: 'site.boston' };
export const details = {
  payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('1') }],
};
const workerVersion = { buildId: 'b', useVersioning: true };
const deploymentOptions = { deploymentName: 'd', buildId: 'b', workerVersioningMode: 2 };

export function call(name: string): PassedCall {
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
export type Name = keyof typeof requests;
export const names = Object.keys(requests) as Name[];
export const request = (name: Name) => Buffer.from(requests[name].finish());

/** As Temporal reads what it is sent. */
export const read = (name: Name, body: Uint8Array) =>
  v1[`${name}Request`].decode(body).toJSON() as Record<string, unknown>;

/** `undefined` for what Temporal would refuse. */
export function readable(name: Name, sent: Buffer): Record<string, unknown> | undefined {
  try {
    return read(name, sent);
  } catch {
    return undefined;
  }
}

const realToken = task.token.toString('base64');
const OWN_NAME = 'site.boston/me';

/** What a site has brought past the gateway is about itself, and in its own name. */
export function expectOwn(found: Record<string, unknown> | undefined): void {
  if (!found) return;
  const { identity: name = OWN_NAME, taskToken: shown = realToken, id = '', ...rest } = found;
  const { stickyTaskQueue = queue.name, taskQueue = queue.name, workerHeartbeat: workers = [] } = rest;
  expect([rest.namespace, shown, id, stickyTaskQueue]).toEqual([namespace, realToken, '', queue.name]);
  expect(name).toMatch(/^site\.boston\//);
  const kinds = [undefined, 'TASK_QUEUE_KIND_UNSPECIFIED', 'TASK_QUEUE_KIND_NORMAL'];
  if (typeof taskQueue === 'string') expect(taskQueue).toBe(queue.name);
  else expect(kinds.map((kind) => ({ name: queue.name, ...(kind && { kind }) }))).toContainEqual(taskQueue);
  for (const beat of [workers].flat() as Record<string, unknown>[]) {
    expect(beat.taskQueue).toBe(queue.name);
    expect(beat.workerIdentity).toMatch(/^site\.boston\//);
  }
}
