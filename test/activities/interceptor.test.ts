/** What holds for every activity, whatever it does. */
import { CancelledFailure } from '@temporalio/common';
import { pino } from 'pino';
import { z } from 'zod';
import type { ActivityRules } from '../../activities/shared/interceptor';
import { ApiUnreachable } from '../../client';
import { CENTRAL_NODE } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { problem } from '../support/contract-server';
import { STAY, Stage, failureOf } from './stage';
import { until } from '../support/until';
import { TestWorker } from './worker';

const silent: ActivityRules = {
  log: pino({ level: 'silent' }),
  inputs: { work: z.object({ runId: z.string(), launchId: z.string() }) },
  ownNode: 'a',
  silent: [],
  reportError: () => Promise.resolve(),
};
const launch = { runId: 'run', launchId: 'abcdef123456' };

/** A worker with one activity, `work`. */
const worker = (work: (input: typeof launch) => Promise<unknown>, rules: Partial<ActivityRules> = {}) =>
  new TestWorker({ work }, { ...silent, ...rules });

/** What is reported of a failure of `work`. */
async function reportOf(error: unknown, info: Parameters<TestWorker<object>['do']>[2] = {}) {
  const reports: unknown[] = [];
  const reportError: ActivityRules['reportError'] = (runId, body) => {
    reports.push({ runId, ...body });
    return Promise.resolve();
  };
  await failureOf(worker(() => Promise.reject(error as Error), { reportError }).do('work', launch, info));
  expect(reports).toHaveLength(1);
  return reports[0];
}

describe('heartbeats', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test.each([
    [10_000, 30],
    [undefined, 0],
  ])(
    'with a heartbeat timeout of %s ms, there are %s in half a minute, and none after',
    async (timeout, beats) => {
      const info = timeout === undefined ? {} : { heartbeatTimeoutMs: timeout };
      let finish: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (finish = resolve));
      const attempt = worker(() => held).begin('work', launch, info);
      await jest.advanceTimersByTimeAsync(30_000);
      expect(attempt.heartbeats()).toBe(beats);
      finish();
      await attempt.done;
      await jest.advanceTimersByTimeAsync(30_000);
      expect(attempt.heartbeats()).toBe(beats);
    },
  );
});

describe('an input that does not keep to the contract', () => {
  test('is refused for good, with what is wrong, before anything is done', async () => {
    const done = jest.fn();
    const call = worker(() => Promise.resolve(done())).do('work', { runId: 'run' } as typeof launch);
    const failed = await failureOf(call);
    expect(failed).toMatchObject({ type: 'InvalidRunInput', nonRetryable: true });
    expect(failed.message).toMatch(/^work: .*launchId/s);
    expect(done).not.toHaveBeenCalled();
  });

  test('is one for which none was agreed, too', async () => {
    const failed = await failureOf(worker(() => Promise.resolve(), { inputs: {} }).do('work', launch));
    expect(failed).toMatchObject({ type: 'InvalidRunInput', nonRetryable: true });
  });

  test('may hold more than an activity knows: a newer workflow is understood', async () => {
    const seen = await worker((input) => Promise.resolve(input)).do('work', {
      ...launch,
      later: 1,
    } as typeof launch);
    expect(seen).toEqual(launch);
  });
});

describe('a failure', () => {
  test('is told to the central API in the words of the taxonomy', async () => {
    await expect(reportOf(failure('ImageMissing', 'no image x'))).resolves.toMatchObject({
      ...launch,
      error: { node: 'a', phase: 'work', type: 'ImageMissing', message: 'no image x' },
      retrying: true,
      at: expect.any(Number) as number,
    });
  });

  test.each<[string, unknown, object, object]>([
    ['of a final kind is not tried again', failure('KitBroken', 'x'), {}, { retrying: false }],
    [
      'of the last attempt neither',
      failure('ImageMissing', 'x'),
      { attempt: 3, retryPolicy: { maximumAttempts: 3 } },
      { retrying: false },
    ],
    [
      'before the last is',
      failure('ImageMissing', 'x'),
      { attempt: 2, retryPolicy: { maximumAttempts: 3 } },
      { retrying: true },
    ],
    [
      'of no known kind is internal',
      new TypeError('x is undefined'),
      {},
      { retrying: true, error: { type: 'Internal', message: 'x is undefined' } },
    ],
    [
      'that is no error at all is, too',
      'plain words',
      {},
      { error: { type: 'Internal', message: 'plain words' } },
    ],
    ['with a long message is cut', new Error('x'.repeat(5000)), {}, { error: { message: 'x'.repeat(4000) } }],
  ])('%s', async (_, error, info, report) => {
    await expect(reportOf(error, info)).resolves.toMatchObject(report);
  });

  test('stays what it was where it cannot be reported', async () => {
    const reportError = () => Promise.reject(new ApiUnreachable('http://api', 'refused'));
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const work = () => Promise.reject(failure('KitBroken', 'not what was published'));
    await expect(failureOf(worker(work, { reportError, log }).do('work', launch))).resolves.toEqual({
      type: 'KitBroken',
      message: 'not what was published',
      nonRetryable: true,
    });
    expect(lines.join()).toContain('failure not reported to the central API');
  });

  test('is not reported where reporting is what failed', async () => {
    const reportError = jest.fn(() => Promise.resolve());
    const work = () => Promise.reject(new ApiUnreachable('http://api', 'refused'));
    await failureOf(worker(work, { reportError, silent: ['work'] }).do('work', launch));
    expect(reportError).not.toHaveBeenCalled();
  });
});

describe('on the real activities', () => {
  let stage: Stage;
  afterEach(() => stage.close());

  const site = () => stage.member('a');
  async function watch() {
    stage = await Stage.open({ edge: STAY });
    const { kit } = await stage.publish(['a']);
    const computation = stage.nodeComputation();
    await stage.site('a').do('fetchRunKit', { ...stage.launch, site: site(), computation, kit: kit('a') });
    await stage.site('a').do('launchEdgeNode', { ...stage.launch, site: site(), computation });
    await until(() => stage.result('a', 'up').catch(() => undefined));
    return stage.site('a').begin('superviseNode', { ...stage.launch, node: 'a', computation });
  }
  const isRunning = async () => {
    const node = await stage.nodeHost('a').runtimes.process.inspect({ ...stage.launch, node: 'a' });
    return node.state === 'running';
  };

  test("a worker's shutdown leaves the node running, and the next attempt comes soon", async () => {
    const attempt = await watch();
    attempt.interrupt('WORKER_SHUTDOWN');
    const failed: unknown = await attempt.done.catch((error: unknown) => error);
    expect(failed).toMatchObject({ message: 'the worker is shutting down', nextRetryDelay: '200ms' });
    expect(failed).not.toBeInstanceOf(CancelledFailure);
    expect(failed).toMatchObject({ nonRetryable: false });
    await expect(isRunning()).resolves.toBe(true);
    expect(stage.reported()).toEqual([]);
  });

  test.each(['CANCELLED', 'NOT_FOUND'] as const)('%s ends the watching as cancelled', async (reason) => {
    const attempt = await watch();
    attempt.interrupt(reason);
    await expect(attempt.done).rejects.toThrow(new CancelledFailure(reason));
    expect(stage.reported()).toEqual([]);
  });

  test('a central worker reports as the central node, where its input names no other', async () => {
    stage = await Stage.open({ provision: 'exit 1' });
    await failureOf(stage.central().do('provisionProject', stage.provisionInput(['a'])));
    expect(stage.reported()).toMatchObject([
      {
        path: `/api/runs/${stage.runId}/errors/central`,
        body: {
          error: { node: CENTRAL_NODE, phase: 'provisionProject', type: 'ProvisionFailed' },
          retrying: false,
        },
      },
    ]);
  });

  test('neither the tokens nor what gives access to a kit is logged or reported', async () => {
    stage = await Stage.open({ edge: 'exit 1' });
    const { kit } = await stage.publish(['a']);
    const computation = stage.nodeComputation();
    const fetching = { ...stage.launch, site: site(), computation, kit: kit('a') };
    const get = (spoiled: object) =>
      failureOf(stage.site('a').do('fetchRunKit', { ...fetching, kit: { ...kit('a'), ...spoiled } }));
    await get({ sha256: '0'.repeat(64) });
    await get({ size: 1 });
    // A presigned URL that leads nowhere, and one that the store refuses.
    for (const url of [
      'http://127.0.0.1:1/kit?X-Amz-Signature=secret-signature',
      `${process.env.MUSTER_TEST_MINIO_ENDPOINT ?? ''}/x/y?X-Amz-Signature=secret-signature`,
    ]) {
      stage.access = (access) => ({ ...access, url });
      await expect(get({})).resolves.toMatchObject({ type: 'KitUnavailable' });
    }
    stage.access = (access) => access;
    stage.api.answer = problem(401, 'Unauthorized');
    await get({});
    stage.api.answer = stage.answer;
    await stage.site('a').do('fetchRunKit', fetching);
    await stage.site('a').do('launchEdgeNode', fetching);
    await failureOf(stage.site('a').do('superviseNode', { ...stage.launch, node: 'a', computation }));
    expect(stage.log.length).toBeGreaterThanOrEqual(5);
    expect(stage.log.join('\n')).not.toMatch(/token-of-a|Signature|secret/);
    expect(JSON.stringify(stage.reported())).not.toMatch(/token-of-a|Signature|secret/);
  });
});
