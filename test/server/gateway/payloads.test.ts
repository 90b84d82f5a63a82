/** A site works in plain text, and nothing that it was given or gave lies in the histories as such. */
import { Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time';
import { temporal as api } from '@temporalio/proto';
import {
  activityTaskPayloads,
  changePayloads,
  failedActivityPayloads,
  resultPayloads,
  sitePayloadsOf,
  type PayloadPlaces,
} from '../../../server/gateway/payloads';
import { MalformedMessage } from '../../../server/gateway/wire';
import { siteQueue } from '../../../workflows/contract';
import { testCodec } from '../../support/sealed';
import { useTemporal } from '../../support/temporal';
import { ScriptedWorkflow } from './scripted-workflow';
import { messages } from './raw-site';
import { Stage } from './stage';

const { v1 } = messages;
const PayloadMessage = api.api.common.v1.Payload;

describe('a worker without keys', () => {
  const temporal = useTemporal();
  const stage = Stage.use(temporal);
  const given: unknown[] = [];

  beforeAll(async () => {
    const front = await stage.openGateway();
    const activities = {
      patients: (question: unknown) => {
        given.push(question);
        return Promise.resolve({ answer: 'canary' });
      },
      fail: () =>
        Promise.reject(ApplicationFailure.nonRetryable('a canary said no', 'No', { why: 'canary' })),
      twice: () => {
        const { info } = Context.current();
        if (info.attempt > 1) return Promise.resolve(info.heartbeatDetails as unknown);
        heartbeat('canary so far');
        return Promise.reject(ApplicationFailure.retryable('not yet'));
      },
    };
    await stage.startSiteWorker('paris', front, { activities });
  });

  const done = async (type: string, args: unknown[], more: object = {}) => {
    const workflow = await ScriptedWorkflow.start(temporal);
    await workflow.schedule({ queue: siteQueue('paris'), type, args, ...more });
    await workflow.end();
    return workflow;
  };
  /** The whole history as one text of bytes. */
  const bytesOf = async (workflow: ScriptedWorkflow) =>
    Buffer.from(api.api.history.v1.History.encode({ events: await workflow.history() }).finish()).toString(
      'latin1',
    );

  it('is given its argument, and its result is sealed', async () => {
    const workflow = await done('patients', [{ question: 'canary' }]);
    expect(given).toEqual([{ question: 'canary' }]);
    await expect(workflow.result()).resolves.toEqual({ answer: 'canary' });
    expect(await bytesOf(workflow)).not.toContain('canary');
  });

  it('fails with words, a stack and details that only the centre can read', async () => {
    const workflow = await done('fail', []);
    await expect(workflow.failure()).resolves.toMatchObject({
      ...{ message: 'a canary said no', type: 'No', details: [{ why: 'canary' }] },
      stack: expect.stringContaining('a canary said no') as string,
    });
    expect(await bytesOf(workflow)).not.toContain('canary');
  });

  it('finds what its heartbeats said', async () => {
    const retryPolicy = { initialInterval: msToTs(10), maximumAttempts: 2 };
    const workflow = await done('twice', [], { retryPolicy, heartbeatTimeout: msToTs(5_000) });
    await expect(workflow.result()).resolves.toBe('canary so far');
    expect(await bytesOf(workflow)).not.toContain('canary');
  });
});

describe('every payload is found:', () => {
  const one = (name: string) => ({
    metadata: { encoding: Buffer.from('json/plain') },
    data: Buffer.from(name),
  });
  const of = (name: string) => ({ payloads: [one(name)] });
  const seen = async (places: PayloadPlaces, message: { finish(): Uint8Array }) => {
    const names: string[] = [];
    await changePayloads(Buffer.from(message.finish()), places, (payloads) => {
      names.push(...payloads.map((each) => Buffer.from(PayloadMessage.decode(each).data).toString()));
      return Promise.resolve(payloads);
    });
    return names.sort();
  };

  it('of a task', async () => {
    const task = v1.PollActivityTaskQueueResponse.encode({
      header: { fields: { a: one('header a'), b: one('header b') } },
      input: { payloads: [one('first'), one('second')] },
      heartbeatDetails: of('heartbeat'),
    });
    await expect(seen(activityTaskPayloads, task)).resolves.toEqual([
      'first',
      'header a',
      'header b',
      'heartbeat',
      'second',
    ]);
  });

  it('of a result, a heartbeat and a cancellation', async () => {
    const messagesOfThree = [
      v1.RespondActivityTaskCompletedRequest.encode({ result: of('it') }),
      v1.RecordActivityTaskHeartbeatRequest.encode({ details: of('it') }),
      v1.RespondActivityTaskCanceledRequest.encode({ details: of('it') }),
    ];
    for (const message of messagesOfThree)
      await expect(seen(resultPayloads, message)).resolves.toEqual(['it']);
  });

  it('of a failure and its causes', async () => {
    const failure = v1.RespondActivityTaskFailedRequest.encode({
      lastHeartbeatDetails: of('last heartbeat'),
      failure: {
        encodedAttributes: one('attributes'),
        applicationFailureInfo: { details: of('application') },
        cause: {
          timeoutFailureInfo: { lastHeartbeatDetails: of('timeout') },
          cause: {
            canceledFailureInfo: { details: of('cancelled') },
            cause: {
              resetWorkflowFailureInfo: { lastHeartbeatDetails: of('reset') },
              encodedAttributes: one('deep'),
            },
          },
        },
      },
    });
    const all = ['application', 'attributes', 'cancelled', 'deep', 'last heartbeat', 'reset', 'timeout'];
    await expect(seen(failedActivityPayloads, failure)).resolves.toEqual(all);
  });

  it('unless there are causes without end', async () => {
    let failure: api.api.failure.v1.IFailure = {};
    for (let depth = 0; depth < 60; depth++) failure = { cause: failure };
    const message = v1.RespondActivityTaskFailedRequest.encode({ failure });
    await expect(seen(failedActivityPayloads, message)).rejects.toThrow(MalformedMessage);
  });

  it('unless there are more than anybody needs', async () => {
    const result = { payloads: Array.from({ length: 1_001 }, () => ({})) };
    const message = v1.RespondActivityTaskCompletedRequest.encode({ result });
    await expect(seen(resultPayloads, message)).rejects.toThrow(MalformedMessage);
  });
});

it('a payload comes back from the codec as it was', async () => {
  const site = sitePayloadsOf(testCodec);
  const payload = {
    metadata: { encoding: Buffer.from('x'), __proto__key: Buffer.from('y') },
    data: Buffer.from([0, 255]),
  };
  const encoded = Buffer.from(PayloadMessage.encode(payload).finish());
  const [sealed] = await site.sealFromSite([encoded], 'paris');
  expect(sealed).not.toEqual(encoded);
  await expect(site.openForSite([sealed!], 'paris')).resolves.toEqual([encoded]);
});
