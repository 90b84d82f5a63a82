/** An honest worker, as the SDK makes it, does its work through the gateway as if it spoke with Temporal itself. */
import { Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time';
import { siteQueue } from '../../../workflows/contract';
import { useTemporal } from '../../support/temporal';
import { ScriptedWorkflow } from './scripted-workflow';
import { Stage, type TestGateway } from './stage';
import { until } from '../../support/until';

const temporal = useTemporal();
const stage = Stage.use(temporal);
const queue = siteQueue('boston');
let front: TestGateway;

const attempts: number[] = [];
let beats = 0;

const activities = {
  echo: (value: unknown) => Promise.resolve(value),
  fail: () =>
    Promise.reject(
      ApplicationFailure.create({
        message: 'no scanner',
        type: 'NoScanner',
        details: [{ room: 7 }],
        nonRetryable: true,
      }),
    ),
  untilCancelled: async () => {
    const beat = setInterval(() => {
      beats++;
      heartbeat();
    }, 100);
    await Context.current().cancelled.finally(() => clearInterval(beat));
  },
  twice: () => {
    const { info } = Context.current();
    attempts.push(info.attempt);
    if (info.attempt > 1) return Promise.resolve(info.heartbeatDetails as unknown);
    heartbeat('so far');
    return Promise.reject(ApplicationFailure.retryable('not yet'));
  },
  large: (bytes: number) => Promise.resolve('x'.repeat(bytes)),
};

beforeAll(async () => {
  front = await stage.openGateway();
  await stage.startSiteWorker('boston', front, { activities, maxHeartbeatThrottleInterval: '200ms' });
});

async function done(type: keyof typeof activities, more: object = {}): Promise<ScriptedWorkflow> {
  const workflow = await ScriptedWorkflow.start(temporal);
  await workflow.schedule({ queue, type, ...more });
  return workflow;
}

it('does an activity', async () => {
  const workflow = await done('echo', { args: [{ hello: 'Boston' }] });
  await expect(workflow.result()).resolves.toEqual({ hello: 'Boston' });
});

it('passes a large result and a large argument', async () => {
  const text = 'y'.repeat(700_000);
  await expect((await done('large', { args: [1_000_000] })).result()).resolves.toHaveLength(1_000_000);
  await expect((await done('echo', { args: [text] })).result()).resolves.toBe(text);
});

it('passes a failure with all it says', async () => {
  const failure = await (await done('fail')).failure();
  expect(failure).toMatchObject({
    message: 'no scanner',
    type: 'NoScanner',
    nonRetryable: true,
    details: [{ room: 7 }],
    stack: expect.stringContaining('worker.test') as string,
  });
});

it('tells an activity that it is cancelled', async () => {
  const workflow = await done('untilCancelled', { heartbeatTimeout: msToTs(5_000) });
  await until(() => beats > 0);
  await workflow.cancelActivity();
  expect((await workflow.end()).activityTaskCanceledEventAttributes).toBeTruthy();
});

it('lets a task be tried again, with what its heartbeats said', async () => {
  const workflow = await done('twice', {
    retryPolicy: { initialInterval: msToTs(10), maximumAttempts: 3 },
    heartbeatTimeout: msToTs(5_000),
  });
  await expect(workflow.result()).resolves.toBe('so far');
  expect(attempts).toEqual([1, 2]);
});

it('says of each end of a task whose it was', async () => {
  const workflow = await done('echo', { args: [1] });
  await workflow.result();
  // The worker is answered before it is written down.
  const said = await until(() =>
    front.lines.find((line) => line.msg === 'task ended' && line.workflowId === workflow.workflowId),
  );
  expect(said).toMatchObject({
    site: 'boston',
    namespace: temporal.namespace,
    queue,
    call: 'RespondActivityTaskCompleted',
    activity: 'echo',
    attempt: '1',
    status: 'OK',
  });
});

it('shows in the history which site did it', async () => {
  const workflow = await done('echo', { args: [1] });
  await workflow.result();
  const begun = (await workflow.history()).find((event) => event.activityTaskStartedEventAttributes);
  expect(begun?.activityTaskStartedEventAttributes?.identity).toMatch(/^site\.boston\/./);
});

it('refuses nothing that an honest worker asks for, down to its leaving', async () => {
  const { polls } = front.gateway.counters();
  const other = await stage.startSiteWorker('lyon', front, { activities });
  await until(() => front.gateway.counters().polls > polls);
  await other.stop();
  const { refused, calls } = front.gateway.counters();
  expect(refused).toEqual({});
  expect(calls.worker).toBeGreaterThan(0);
});
