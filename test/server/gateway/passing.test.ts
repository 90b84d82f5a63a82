/** What the gateway has no part in passes it unharmed: time limits, ends, errors, forms of messages; and it may come and go. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Metadata, status } from '@grpc/grpc-js';
import { connectTemporal } from '../../../server/gateway/temporal';
import { TokenKeys } from '../../../server/gateway/tokens';
import { siteQueue } from '../../../workflows/contract';
import { TcpProxy } from '../../support/tcp-proxy';
import { useTemporal } from '../../support/temporal';
import { ScriptedWorkflow } from './scripted-workflow';
import { SERVICE, frame, messages, openStream } from './raw-site';
import { Stage, testKey, type TestGateway } from './stage';
import { until } from '../../support/until';

const temporal = useTemporal();
const stage = Stage.use(temporal);
let front: TestGateway;

beforeAll(async () => {
  front = await stage.openGateway();
});

const polling = (count: number) => until(() => front.gateway.counters().polls === count);

async function scheduled(siteId: string): Promise<ScriptedWorkflow> {
  const workflow = await ScriptedWorkflow.start(temporal);
  await workflow.schedule({ queue: siteQueue(siteId), type: 'something', args: ['argument'] });
  return workflow;
}

describe('a poll', () => {
  it('ends when its caller says, here and at Temporal', async () => {
    const site = await stage.connectRaw('brief', front);
    const { code } = await site.poll({}, { deadline: Date.now() + 2_500 });
    // Temporal itself answers shortly before, that there is nothing.
    expect([status.OK, status.DEADLINE_EXCEEDED]).toContain(code);
    await polling(0);
  });

  it('that is given up leaves the next task to another', async () => {
    const site = await stage.connectRaw('leaving', front);
    const leaving = new AbortController();
    const given = Array.from({ length: 5 }, () => site.poll({}, { signal: leaving.signal }));
    await polling(5);
    leaving.abort();
    for (const { code } of await Promise.all(given)) expect(code).toBe(status.CANCELLED);
    await polling(0);
    const workflow = await scheduled('leaving');
    const { task } = await site.poll();
    await site.complete(task.taskToken);
    await workflow.end();
  });

  it('of a site that is gone without a word ends too', async () => {
    const line = await TcpProxy.open(front.port);
    temporal.onClose(() => line.close());
    const site = await stage.connectRaw('vanished', line);
    const poll = site.poll();
    await polling(1);
    line.reset(0);
    await polling(0);
    await poll;
  });
});

describe('errors', () => {
  it('come with their details', async () => {
    const site = await stage.connectRaw('late', front);
    const workflow = await scheduled('late');
    const { task } = await site.poll();
    await temporal.client.workflow.getHandle(workflow.workflowId).terminate();
    const { code, details, metadata } = await site.complete(task.taskToken);
    expect(code).toBe(status.NOT_FOUND);
    expect(details).toMatch(/workflow execution already completed/);
    expect(String(metadata?.get('grpc-status-details-bin')[0])).toMatch(/errordetails.v1.NotFoundFailure/);
  });

  it('of a Temporal that is away say nothing of its whereabouts', async () => {
    const alone = await stage.openGateway({ temporal: connectTemporal({ address: '127.0.0.1:1' }) });
    const site = await stage.connectRaw('waiting', alone);
    const { code, details } = await site.poll();
    expect(code).toBe(status.UNAVAILABLE);
    expect(details).not.toMatch(/127/);
  });
});

describe('messages', () => {
  const poll = (siteId: string) =>
    messages.v1.PollActivityTaskQueueRequest.encode({
      namespace: temporal.namespace,
      taskQueue: { name: siteQueue(siteId) },
    }).finish();

  it('may be compressed, both ways', async () => {
    const session = await stage.connectHttp2('packed', front);
    const workflow = await ScriptedWorkflow.start(temporal);
    await workflow.schedule({ queue: siteQueue('packed'), type: 'x', args: ['z'.repeat(100_000)] });
    const stream = openStream(session, `${SERVICE}PollActivityTaskQueue`, {
      'grpc-encoding': 'gzip',
      'grpc-accept-encoding': 'identity, gzip',
    });
    stream.end(frame(gzipSync(poll('packed')), 1));
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    const answer = Buffer.concat(pieces);
    expect(answer.length).toBeLessThan(10_000);
    const task = messages.v1.PollActivityTaskQueueResponse.decode(gunzipSync(answer.subarray(5)));
    expect(task.workflowExecution?.workflowId).toBe(workflow.workflowId);
    const site = await stage.connectRaw('packed', front);
    await site.complete(task.taskToken);
    await workflow.end();
  });

  it('may say more than is known here', async () => {
    const site = await stage.connectRaw('newer', front);
    const workflow = await scheduled('newer');
    const unknown = Buffer.from([0xc2, 0x3e, 3, 1, 2, 3]);
    const { body } = await site.send(
      `${SERVICE}PollActivityTaskQueue`,
      Buffer.concat([poll('newer'), unknown]),
    );
    const { taskToken } = messages.v1.PollActivityTaskQueueResponse.decode(body);
    await expect(site.complete(taskToken)).resolves.toMatchObject({ code: status.OK });
    await workflow.end();
  });

  it('bring no powers by their metadata', async () => {
    const site = await stage.connectRaw('posh', front);
    const metadata = new Metadata();
    for (const [name, value] of Object.entries({
      'temporal-namespace': 'temporal-system',
      authorization: 'Bearer admin',
      'caller-type': 'operator',
    }))
      metadata.set(name, value);
    const request = messages.v1.DescribeNamespaceRequest.encode({ namespace: temporal.namespace }).finish();
    await expect(site.send(`${SERVICE}DescribeNamespace`, request, { metadata })).resolves.toMatchObject({
      code: status.OK,
    });
  });

  it('about the namespace say what a worker needs', async () => {
    const site = await stage.connectRaw('curious', front);
    const request = messages.v1.DescribeNamespaceRequest.encode({ namespace: temporal.namespace }).finish();
    const { body } = await site.send(`${SERVICE}DescribeNamespace`, request);
    const answer = messages.v1.DescribeNamespaceResponse.decode(body).toJSON() as Record<string, object>;
    expect(Object.keys(answer)).toEqual(['namespaceInfo']);
    expect(answer.namespaceInfo).toMatchObject({ name: temporal.namespace });
    expect(answer.namespaceInfo).not.toHaveProperty('id');
  });
});

describe('gateways', () => {
  it('that have the same keys share the work', async () => {
    const other = await stage.openGateway({ keys: new TokenKeys([testKey('k2', 9), testKey('k1')]) });
    const [here, there] = await Promise.all([
      stage.connectRaw('both', front),
      stage.connectRaw('both', other),
    ]);
    const workflow = await scheduled('both');
    const { task } = await here.poll();
    await expect(there.heartbeat(task.taskToken)).resolves.toMatchObject({ code: status.OK });
    await expect(there.complete(task.taskToken)).resolves.toMatchObject({ code: status.OK });
    await workflow.end();
  });

  it('that have other keys do not know the task', async () => {
    const stranger = await stage.openGateway({ keys: new TokenKeys([testKey('k1', 9)]) });
    const [here, there] = await Promise.all([
      stage.connectRaw('apart', front),
      stage.connectRaw('apart', stranger),
    ]);
    const workflow = await scheduled('apart');
    const { task } = await here.poll();
    await expect(there.complete(task.taskToken)).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    await here.complete(task.taskToken);
    await workflow.end();
  });

  it('that end send their workers to the next one', async () => {
    const leaving = await stage.openGateway();
    const activities = { greet: () => Promise.resolve('hello') };
    await stage.startSiteWorker('moving', leaving, { activities });
    await until(() => leaving.gateway.counters().polls > 0);
    await leaving.gateway.close(5_000);
    const next = await stage.openGateway({}, leaving.port);
    await until(() => next.gateway.counters().polls > 0);
    const workflow = await ScriptedWorkflow.start(temporal);
    await workflow.schedule({ queue: siteQueue('moving'), type: 'greet' });
    await expect(workflow.result()).resolves.toBe('hello');
  });

  it('show a new certificate without a pause', async () => {
    const gateway = await stage.openGateway();
    const before = await stage.connectRaw('steady', gateway);
    const { cert, key } = await stage.authority.issueServer();
    gateway.gateway.setCertificate({ cert: Buffer.from(cert), key: Buffer.from(key) });
    const after = await stage.connectRaw('steady', gateway);
    for (const site of [before, after])
      await expect(site.send(`${SERVICE}GetSystemInfo`, Buffer.alloc(0))).resolves.toMatchObject({
        code: status.OK,
      });
    const socket = connect({
      port: gateway.port,
      ca: stage.authority.cert,
      ...(await stage.certificateOf('steady')),
    });
    await once(socket, 'secureConnect');
    const shown = socket.getPeerX509Certificate();
    expect(shown?.raw.equals(new X509Certificate(cert).raw)).toBe(true);
    socket.destroy();
  });
});
