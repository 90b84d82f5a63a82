/** Somebody has a site's key and uses it for all that should not be possible. */
import 'reflect-metadata';
import { ExtendedKeyUsage } from '@peculiar/x509';
import { once, setMaxListeners } from 'node:events';
import { constants, type ClientHttp2Session } from 'node:http2';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { grpc, temporal as api } from '@temporalio/proto';
import type { RefusalReason } from '../../../server/gateway/refusal';
import { siteQueue } from '../../../workflows/contract';
import { useTemporal } from '../../support/temporal';
import { createTestAuthority, type Certified } from '../../support/certificates';
import { ScriptedWorkflow } from './scripted-workflow';
import { SERVICE, ending, frame, messages, openStream, type RawSite } from './raw-site';
import { Stage, type TestGateway } from './stage';
import { until } from '../../support/until';

const temporal = useTemporal();
const stage = Stage.use(temporal);
const POLL = `${SERVICE}PollActivityTaskQueue`;
const COMPLETE = `${SERVICE}RespondActivityTaskCompleted`;
let front: TestGateway;
let hostile: RawSite;
let session: ClientHttp2Session;

beforeAll(async () => {
  front = await stage.openGateway({ limits: { transferMs: 400 } });
  hostile = await stage.connectRaw('hostile', front);
  session = await stage.connectHttp2('hostile', front);
  await stage.startSiteWorker('honest', front, {
    activities: { greet: (name: string) => Promise.resolve(`hello ${name}`) },
  });
});

// Whatever was tried: the gateway is there, and other sites have noticed nothing.
afterEach(async () => {
  const workflow = await ScriptedWorkflow.start(temporal);
  await workflow.schedule({ queue: siteQueue('honest'), type: 'greet', args: ['Lyon'] });
  await expect(workflow.result()).resolves.toBe('hello Lyon');
});

/** A task that the site has been given. */
async function taskOf(site: RawSite): Promise<{ workflow: ScriptedWorkflow; token: Uint8Array }> {
  const workflow = await ScriptedWorkflow.start(temporal);
  await workflow.schedule({ queue: siteQueue(site.siteId), type: 'something' });
  const { task } = await site.poll();
  return { workflow, token: task.taskToken };
}

describe('who is no site is not let in:', () => {
  const call = async (certified: Certified) => {
    const outcome = await stage.connectAs(certified, front).send(`${SERVICE}GetSystemInfo`, Buffer.alloc(0));
    return outcome.code;
  };

  it('without a certificate', async () => {
    const socket = connectTls({ port: front.port, ca: stage.authority.cert, ALPNProtocols: ['h2'] });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toMatch(/certificate required/);
  });

  it('with one of another authority', async () => {
    const stranger = await createTestAuthority();
    await expect(call(await stranger.issueSite('hostile'))).resolves.toBe(status.UNAVAILABLE);
  });

  it('with one that is not of a site', async () => {
    await expect(
      call(
        await stage.authority.issue({
          subject: [{ CN: ['hostile'] }],
          usages: [ExtendedKeyUsage.clientAuth],
        }),
      ),
    ).resolves.toBe(status.UNAVAILABLE);
  });

  it('with one that is over', async () => {
    await expect(call(await stage.authority.issueSite('hostile', { until: -1_000 }))).resolves.toBe(
      status.UNAVAILABLE,
    );
  });

  it('with an old version of TLS', async () => {
    const { cert, key } = await stage.certificateOf('hostile');
    const socket = connectTls({
      port: front.port,
      ca: stage.authority.cert,
      cert,
      key,
      maxVersion: 'TLSv1.2',
    });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.message).toMatch(/protocol version/);
  });
});

describe('no other call passes:', () => {
  const { workflowservice, operatorservice, testservice, cloud } = api.api;
  /** Every service that the SDK knows of. */
  const services = {
    'temporal.api.workflowservice.v1.WorkflowService': workflowservice.v1.WorkflowService,
    'temporal.api.operatorservice.v1.OperatorService': operatorservice.v1.OperatorService,
    'temporal.api.testservice.v1.TestService': testservice.v1.TestService,
    'temporal.api.cloud.cloudservice.v1.CloudService': cloud.cloudservice.v1.CloudService,
    'grpc.health.v1.Health': grpc.health.v1.Health,
  };
  const methodsOf = (service: object) =>
    Object.entries(service)
      .filter(([, value]) => typeof value === 'function')
      .map(([name]) => name[0]!.toUpperCase() + name.slice(1));
  const nowhere = () => undefined;
  const passing = [
    ...['GetSystemInfo', 'DescribeNamespace', 'PollActivityTaskQueue', 'RecordActivityTaskHeartbeat'],
    ...['RespondActivityTaskCompleted', 'RespondActivityTaskFailed', 'RespondActivityTaskCanceled'],
    ...['ShutdownWorker', 'RecordWorkerHeartbeat'],
  ];
  const others = [
    ...Object.entries(services)
      .flatMap(([name, service]) => methodsOf(service.create(nowhere)).map((method) => `/${name}/${method}`))
      .filter((path) => !passing.some((name) => path === SERVICE + name)),
    '/temporal.server.api.adminservice.v1.AdminService/DescribeMutableState',
    '/temporal.server.api.historyservice.v1.HistoryService/GetMutableState',
    '/temporal.server.api.matchingservice.v1.MatchingService/PollActivityTaskQueue',
    '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    `${SERVICE}pollActivityTaskQueue`,
    `${SERVICE}PollActivityTaskQueue/`,
    `${SERVICE}PollActivityTaskQueue?`,
    `/${SERVICE}PollActivityTaskQueue`,
    '/constructor',
    '/',
  ];

  it('there are some', () => {
    expect(others.length).toBeGreaterThan(180);
    for (const name of ['RespondActivityTaskCompletedById', 'StartWorkflowExecution', 'QueryWorkflow'])
      expect(others).toContain(SERVICE + name);
    expect(others).toContain('/temporal.api.operatorservice.v1.OperatorService/DeleteNamespace');
    expect(others).toContain('/grpc.health.v1.Health/Check');
  });

  it.each(others)('%s', async (path) => {
    const namespaceFirst = messages.v1.DescribeNamespaceRequest.encode({
      namespace: temporal.namespace,
    }).finish();
    const before = front.gateway.counters().refused['unknown-call'] ?? 0;
    const { code } = await hostile.send(path, namespaceFirst);
    expect(code).toBe(status.UNIMPLEMENTED);
    expect(front.gateway.counters().refused['unknown-call']).toBe(before + 1);
  });

  it('and the log says who tried', () => {
    const tried = { msg: 'refused', reason: 'unknown-call', site: 'hostile' };
    expect(front.lines).toContainEqual(expect.objectContaining(tried));
  });
});

describe('what belongs to others stays with them:', () => {
  it.each([
    ['the queue of another site', { taskQueue: { name: siteQueue('honest') } }],
    ["the centre's queue", { taskQueue: { name: 'central' } }],
    ['another namespace', { namespace: 'temporal-system' }],
  ])('%s', async (_, change) => {
    const { code } = await hostile.poll(change);
    expect(code).toBe(status.PERMISSION_DENIED);
  });

  it('the task of another site, even with its token', async () => {
    const other = await stage.connectRaw('other', front);
    const { workflow, token } = await taskOf(other);
    await expect(hostile.complete(token)).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    await expect(hostile.heartbeat(token)).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    await expect(other.complete(token)).resolves.toMatchObject({ code: status.OK });
    await workflow.end();
  });

  it('a task by a token that was never given out', async () => {
    const { workflow, token } = await taskOf(hostile);
    const [cut, changed] = [token.slice(0, -1), Buffer.from(token)];
    changed[changed.length - 1]! ^= 1;
    // As Temporal makes them itself.
    const namespaceId = await temporal.connection.workflowService.describeNamespace({
      namespace: temporal.namespace,
    });
    const forged = messages.v1.RespondActivityTaskCompletedByIdRequest.encode({
      namespace: namespaceId.namespaceInfo!.id!,
      workflowId: workflow.workflowId,
    }).finish();
    for (const bad of [cut, changed, forged, new Uint8Array(), new Uint8Array(10_000)])
      await expect(hostile.complete(bad)).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    await hostile.complete(token);
    await workflow.end();
  });

  it('a task that has ended', async () => {
    const { workflow, token } = await taskOf(hostile);
    await expect(hostile.complete(token)).resolves.toMatchObject({ code: status.OK });
    await workflow.end();
    await expect(hostile.complete(token)).resolves.toMatchObject({ code: status.NOT_FOUND });
    await expect(hostile.heartbeat(token)).resolves.toMatchObject({ code: status.NOT_FOUND });
  });

  it('the good name of others', async () => {
    const { workflow, token } = await taskOf(hostile);
    await hostile.complete(token, { identity: 'honest' });
    const event = await workflow.end();
    expect(event.activityTaskCompletedEventAttributes?.identity).toBe('site.hostile/honest');
  });
});

describe('what is too large is not taken:', () => {
  const result = (bytes: number) => ({ result: { payloads: [{ data: Buffer.alloc(bytes) }] } });

  it('a result', async () => {
    const { workflow, token } = await taskOf(hostile);
    const outcome = await hostile.complete(token, result(5_000_000));
    expect(outcome).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(outcome.details).toMatch(/^grpc: received message larger than max/);
    await hostile.complete(token);
    await workflow.end();
  });

  it('a heartbeat', async () => {
    const { details, code } = await hostile.heartbeat(Buffer.alloc(300_000));
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(details).toMatch(/larger than max/);
  });

  it('what becomes large when it is unpacked', async () => {
    const stream = openStream(session, COMPLETE, { 'grpc-encoding': 'gzip' });
    stream.end(frame(gzipSync(Buffer.alloc(200_000_000)), 1));
    await expect(ending(stream)).resolves.toMatchObject({ status: status.RESOURCE_EXHAUSTED });
  });

  it('what is only announced', async () => {
    const stream = openStream(session, COMPLETE);
    stream.write(Buffer.from([0, 255, 255, 255, 255]));
    await expect(ending(stream)).resolves.toMatchObject({ status: status.RESOURCE_EXHAUSTED });
  });

  it('much at the same time', async () => {
    const { port } = await stage.openGateway({ limits: { openBytes: 1_500 } });
    const site = await stage.connectRaw('hostile', { port });
    const half = () => site.heartbeat(Buffer.alloc(500));
    await expect(half()).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    await expect(site.heartbeat(Buffer.alloc(1_000))).resolves.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    await expect(half()).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it('a mountain of headers', async () => {
    const one = await stage.connectHttp2('hostile', front);
    const headers = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'x'.repeat(4000)]));
    const stream = openStream(one, `${SERVICE}GetSystemInfo`, headers);
    stream.end(frame(Buffer.alloc(0)));
    expect((await ending(stream)).status).not.toBe(status.OK);
  });
});

describe('who is slow is not waited for:', () => {
  it('a call without a message', async () => {
    const stream = openStream(session, POLL);
    await expect(ending(stream)).resolves.toMatchObject({ status: status.DEADLINE_EXCEEDED });
  });

  it('a message that comes byte by byte', async () => {
    const stream = openStream(session, COMPLETE);
    const message = frame(Buffer.alloc(100_000));
    let sent = 0;
    const drip = setInterval(() => stream.write(message.subarray(sent, ++sent)), 5);
    await expect(ending(stream)).resolves.toMatchObject({ status: status.DEADLINE_EXCEEDED });
    clearInterval(drip);
  });

  it('an answer that nobody takes', async () => {
    const idle = await stage.connectHttp2('hostile', front);
    idle.settings({ initialWindowSize: 0 });
    const stream = openStream(idle, `${SERVICE}GetSystemInfo`);
    stream.end(frame(Buffer.alloc(0)));
    await once(stream, 'close');
  });
});

describe('what is no call is refused:', () => {
  it.each([
    ['a web page', { 'content-type': 'text/html' }, status.UNIMPLEMENTED],
    ['a GET', { ':method': 'GET' }, status.UNIMPLEMENTED],
    ['an unknown compression', { 'grpc-encoding': 'snappy' }, status.UNIMPLEMENTED],
    ['a strange time limit', { 'grpc-timeout': 'soon' }, status.INVALID_ARGUMENT],
  ])('%s', async (_, headers, code) => {
    const stream = openStream(session, POLL, headers);
    stream.end();
    await expect(ending(stream)).resolves.toMatchObject({ status: code });
  });

  it.each([
    ['no message', Buffer.alloc(0)],
    ['half a message', frame(Buffer.alloc(100)).subarray(0, 50)],
    ['two messages', Buffer.concat([frame(Buffer.alloc(3)), frame(Buffer.alloc(3))])],
    ['a message that is compressed in no way', frame(Buffer.alloc(3), 1)],
    ['a message of no kind', frame(Buffer.alloc(3), 7)],
    ['what is not a message', frame(Buffer.from('hello?'))],
  ])('%s', async (_, body) => {
    const stream = openStream(session, COMPLETE);
    stream.end(body);
    await expect(ending(stream)).resolves.toMatchObject({ status: status.INVALID_ARGUMENT });
  });

  it('noise instead of HTTP/2', async () => {
    const { cert, key } = await stage.certificateOf('hostile');
    const noise = async (ALPNProtocols: string[]) => {
      const socket: TLSSocket = connectTls({
        port: front.port,
        ca: stage.authority.cert,
        cert,
        key,
        ALPNProtocols,
      });
      socket.on('error', () => undefined);
      socket.on('secureConnect', () => socket.write(Buffer.alloc(100_000, 'GET / HTTP/1.1\r\n')));
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    };
    await noise(['h2']);
    await noise(['http/1.1']);
    await noise([]);
  });
});

describe('who asks too much is stopped:', () => {
  const refusedFor = (reason: RefusalReason) => front.gateway.counters().refused[reason] ?? 0;

  it('by calls', async () => {
    const before = refusedFor('too-many-calls');
    const { connections } = front.gateway.counters();
    const flood = await stage.connectHttp2('flood', front);
    await once(flood, 'connect');
    const codes = new Set<number | undefined>();
    for (let turn = 0; turn < 100 && !flood.destroyed; turn++) {
      const streams = Array.from({ length: 20 }, () => openStream(flood, '/anything').end());
      for (const { status: code } of await Promise.all(streams.map(ending))) codes.add(code);
    }
    await until(() => front.gateway.counters().connections === connections);
    expect([...codes]).toEqual(expect.arrayContaining([status.UNIMPLEMENTED, status.RESOURCE_EXHAUSTED]));
    expect(refusedFor('too-many-calls')).toBeGreaterThan(before);
  });

  it('by calls that are taken back at once', async () => {
    const { connections } = front.gateway.counters();
    const flood = await stage.connectHttp2('reset', front);
    await once(flood, 'connect');
    for (let turn = 0; turn < 50 && !flood.destroyed; turn++) {
      const streams = Array.from({ length: 50 }, () => openStream(flood, POLL));
      await setImmediate();
      for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    }
    await until(() => front.gateway.counters().connections === connections);
    flood.destroy();
  });

  it('by polls', async () => {
    const site = await stage.connectRaw('eager', front);
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const codes: status[] = [];
    const poll = () => site.poll({}, { signal: stop.signal }).then(({ code }) => codes.push(code));
    const polls = Array.from({ length: 25 }, poll);
    await until(() => codes.length === 5);
    stop.abort();
    await Promise.all(polls);
    const { RESOURCE_EXHAUSTED, CANCELLED } = status;
    expect(codes).toEqual([
      ...Array<status>(5).fill(RESOURCE_EXHAUSTED),
      ...Array<status>(20).fill(CANCELLED),
    ]);
  });

  it('by pings', async () => {
    const flood = await stage.connectHttp2('pings', front);
    await once(flood, 'connect');
    const closed = once(flood, 'close');
    while (!flood.destroyed) {
      flood.ping(() => undefined);
      await setImmediate();
    }
    await closed;
    expect(front.gateway.counters().refused['too-many-pings']).toBe(1);
  });

  it('by connections', async () => {
    const sessions = await Promise.all(Array.from({ length: 12 }, () => stage.connectHttp2('crowd', front)));
    await until(() => sessions.filter(({ destroyed }) => destroyed).length >= 4);
    expect(front.gateway.counters().refused['too-many-connections']).toBe(4);
    for (const each of sessions) each.destroy();
  });
});

it('bytes at random do no harm', async () => {
  const site = await stage.connectHttp2('random', front);
  const codes = new Set<number | undefined>();
  for (let turn = 0; turn < 200; turn++) {
    const stream = openStream(site, turn % 2 ? COMPLETE : POLL);
    const noise = Buffer.from(Array.from({ length: turn }, () => Math.floor(Math.random() * 256)));
    stream.end(turn % 3 ? frame(noise) : noise);
    codes.add((await ending(stream)).status);
  }
  expect(codes).not.toContain(status.OK);
  expect(codes).not.toContain(status.INTERNAL);
});

describe('who is cut off is out within seconds:', () => {
  it('a site that is revoked, with the poll it has running', async () => {
    const site = await stage.connectRaw('revoked', front);
    const { polls } = front.gateway.counters();
    const poll = site.poll();
    await until(() => front.gateway.counters().polls > polls);
    front.admissions.revoke('revoked');
    await expect(poll).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    await expect(site.poll()).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    const workflow = await ScriptedWorkflow.start(temporal);
    await workflow.schedule({
      queue: siteQueue('revoked'),
      type: 'x',
      scheduleToStartTimeout: { seconds: 1 as never },
    });
    expect((await workflow.end()).activityTaskTimedOutEventAttributes).toBeTruthy();
  });

  it('a site whose certificate is over, while another one of it is good', async () => {
    const expiring = { ...front, siteId: 'expiring' };
    const site = stage.connectAs(await stage.authority.issueSite('expiring', { until: 1_500 }), expiring);
    await expect(site.poll()).resolves.toMatchObject({ code: status.PERMISSION_DENIED });
    // Nor does it come in again.
    await expect(site.poll()).resolves.not.toMatchObject({ code: status.OK });
    const { workflow, token } = await taskOf(await stage.connectRaw('expiring', front));
    await expect(site.complete(token)).resolves.not.toMatchObject({ code: status.OK });
    const renewed = await stage.connectRaw('expiring', front);
    await expect(renewed.complete(token)).resolves.toMatchObject({ code: status.OK });
    await workflow.end();
  });
});

it('has not failed itself in all this', () => {
  expect(front.lines.filter(({ msg }) => msg === 'a call failed in the gateway')).toEqual([]);
});
