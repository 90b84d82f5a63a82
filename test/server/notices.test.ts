/** Notices from a report to whoever is told: by the API, Temporal, and a central worker's activities. */
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import { fastify } from 'fastify';
import { CENTRAL_INPUTS, createNoticeActivities } from '../../activities/central';
import { createActivityRules } from '../../activities/shared/interceptor';
import { createCentralApi } from '../../client/central-api';
import { createNoticeSecrets } from '../../server/notices/secrets';
import { notices } from '../../server/db/schema';
import { createPost } from '../../server/notices/post';
import { CENTRAL_QUEUE, type NodeError } from '../../workflows/contract';
import {
  MyNoticesView,
  NO_MAIL_SERVER,
  NoticeList,
  PutNotice,
  TestedNotice,
  type Notice,
} from '../../workflows/notice-contract';
import { Client } from '@temporalio/client';
import { opened, TEST_KEYS } from '../support/sealed';
import { Mailbox } from '../support/mailbox';
import { until } from '../support/until';
import { WebhookReceiver } from '../support/webhook-receiver';
import { register, report } from './scenes';
import { admin, callOn, central, lead, person, problemOf, PUBLIC_URL, tokenFor, useServer } from './server';
import { nodeView, runView, statusReport } from './views';

const server = useServer();
const LOOPBACK = [{ address: '127.0.0.0', prefix: 8, family: 'ipv4' as const }];
const exited: NodeError = {
  ...{ node: 'alpha', phase: 'superviseNode', type: 'NodeExited' },
  message: 'patient 4711 is missing',
};
const unapproved: NodeError = { node: 'alpha', phase: 'fetchRunKit', type: 'ApprovalNeeded', message: 'no' };

const receiver = new WebhookReceiver();
const mailbox = new Mailbox();
let apiUrl: string;

beforeAll(async () => {
  await receiver.open();
  await mailbox.open();
  server.temporal.onClose(() => Promise.all([receiver.close(), mailbox.close()]));
  await server.app.listen({ port: 0, host: '127.0.0.1' });
  apiUrl = `http://127.0.0.1:${(server.app.server.address() as AddressInfo).port}`;
  await register(server, 'penguins');
  await startWorker();
});

/** A central worker, as far as notices go. */
async function startWorker(networks = LOOPBACK) {
  const api = createCentralApi({ url: apiUrl, token: await tokenFor(central) });
  const log = fastify({ logger: false }).log;
  const rules = createActivityRules({
    ...{ log: log as never, inputs: CENTRAL_INPUTS, ownNode: 'central', silent: [] },
    reportError: () => Promise.reject(new Error('a notice is no failure of a run')),
  });
  return server.temporal.startWorker({
    taskQueue: CENTRAL_QUEUE,
    workflowBundle: server.temporal.workflowBundle,
    activities: createNoticeActivities({
      ...{ api, networks },
      mail: { url: mailbox.url, from: 'Muster <muster@example.org>' },
    }),
    interceptors: { activity: [rules] },
  });
}

async function put(
  id: string,
  body: object,
  consortium = 'penguins',
  query = '',
): Promise<z.output<typeof PutNotice>> {
  const answer = await server.call(`PUT /api/consortia/${consortium}/notices/${id}${query}`, {
    as: lead(consortium),
    body,
  });
  expect([answer.statusCode, answer.body]).toEqual([200, expect.any(String)]);
  return PutNotice.parse(answer.json());
}

async function remove(...ids: string[]): Promise<void> {
  for (const id of ids) await server.call(`DELETE /api/consortia/penguins/notices/${id}`);
}

/** Lets the receiver have the notices of these events. */
async function hook(...on: string[]): Promise<void> {
  receiver.received.length = 0;
  const { secret } = await put(
    'hook',
    { kind: 'webhook', url: receiver.url, on },
    'penguins',
    '?renewSecret=true',
  );
  receiver.secret = secret ?? '';
}

async function noticeOf(id: string): Promise<Notice> {
  const answer = await server.call('GET /api/consortia/penguins/notices', { as: lead('penguins') });
  const found = NoticeList.parse(answer.json()).notices.find((notice) => notice.id === id);
  if (!found) throw new Error(`there is no notice ${id}`);
  return found;
}

/** The latest delivery, once it has come to an end. */
const settled = (id: string) =>
  until(async () => {
    const [latest] = (await noticeOf(id)).deliveries;
    return latest && latest.state !== 'pending' && latest;
  });

let at = 100;
/** A run that only reports: none of it is in Temporal. */
const newRun = () => `penguins-${at++}`;
const failedRun = async (error = exited) => {
  const runId = newRun();
  await report(
    server,
    statusReport(runView(runId, 'failed', { error }), [nodeView('alpha', 'failed')], { at: at++ }),
  );
  return runId;
};

beforeEach(async () => {
  receiver.answers = [];
  receiver.headers = {};
  mailbox.mails.length = 0;
  mailbox.unknown.clear();
  await remove('hook', 'mail');
});

it('posts a signed notice of a run that failed, once, and without a word of its nodes', async () => {
  await hook('failed');
  const runId = await failedRun();
  expect(await settled('hook')).toMatchObject({ state: 'delivered', attempts: 1, runId, event: 'failed' });
  expect(receiver.received).toEqual([
    {
      id: expect.stringContaining(`${runId}.notice.`) as string,
      isGenuine: true,
      message: {
        type: 'run.failed',
        timestamp: expect.any(String) as string,
        data: {
          ...{ runId, consortium: 'penguins', state: 'failed', cause: 'NodeExited', node: 'alpha' },
          ...{ turn: "the computation's author", link: `${PUBLIC_URL}/runs/${runId}` },
        },
      },
    },
  ]);
  expect(JSON.stringify(receiver.received)).not.toContain('4711');
});

it('tells of the same end once, and of the end of the next launch anew', async () => {
  await hook('finished', 'failed');
  const runId = await failedRun();
  await report(server, statusReport(runView(runId, 'failed', { error: exited }), [], { at: at++ }));
  const again = { launchId: 'launch000002' };
  await report(server, statusReport(runView(runId, 'running', again), [], { at: at++, execution: 'second' }));
  await report(
    server,
    statusReport(runView(runId, 'complete', again), [], { at: at++, execution: 'second' }),
  );
  await until(() => receiver.received.length === 2);
  expect(receiver.received.map(({ message }) => message.type).sort()).toEqual(['run.failed', 'run.finished']);
});

it('tells only of what was asked for', async () => {
  await hook('failed');
  const runId = newRun();
  await report(server, statusReport(runView(runId, 'complete'), [], { at: at++ }));
  await failedRun();
  await settled('hook');
  expect(receiver.received.map(({ message }) => message.type)).toEqual(['run.failed']);
});

it('tells at once, and once, of sites that wait for an approval', async () => {
  await hook('waiting');
  const runId = newRun();
  const waiting = (node: string) => nodeView(node, 'fetching', { attention: { ...unapproved, node } });
  await report(server, statusReport(runView(runId, 'running'), [waiting('alpha')], { at: at++ }));
  await settled('hook');
  await report(server, statusReport(runView(runId, 'running'), [waiting('beta')], { at: at++ }));
  const goesOn = [nodeView('alpha', 'running'), nodeView('beta', 'running')];
  await report(server, statusReport(runView(runId, 'running'), goesOn, { at: at++ }));
  const { deliveries } = await noticeOf('hook');
  expect(deliveries.map(({ state }) => state)).toEqual(['delivered']);
  expect(receiver.received[0]?.message).toMatchObject({
    type: 'run.waiting',
    data: { runId, state: 'running', cause: 'ApprovalNeeded', node: 'alpha' },
  });
});

it('waits a minute with what may pass by itself, visibly in Temporal', async () => {
  await hook('waiting');
  const runId = newRun();
  const away = { ...unapproved, type: 'SiteAway' };
  await report(
    server,
    statusReport(runView(runId, 'running'), [nodeView('alpha', 'running', { attention: away })], {
      at: at++,
    }),
  );
  const [delivery] = (await noticeOf('hook')).deliveries;
  const handle = server.temporal.client.workflow.getHandle(delivery?.id ?? '');
  const timer = await until(async () => {
    const { events } = await handle.fetchHistory().catch(() => ({ events: [] }));
    return events?.find(({ timerStartedEventAttributes: started }) => started != null);
  });
  expect(Number(timer.timerStartedEventAttributes?.startToFireTimeout?.seconds)).toBe(60);
  await handle.cancel();
  expect(await settled('hook')).toMatchObject({ state: 'failed', attempts: 0 });
  expect(receiver.received).toEqual([]);
});

it('tries a receiver again that is down, and says so meanwhile', async () => {
  await hook('failed');
  const { port } = receiver;
  await receiver.close();
  await failedRun();
  const failing = await until(async () => {
    const notice = await noticeOf('hook');
    return notice.deliveries[0]?.problem !== undefined && notice;
  });
  expect(failing.failingSince).toBeGreaterThan(0);
  expect(failing.deliveries).toMatchObject([
    { state: 'pending', problem: expect.stringContaining('ECONNREFUSED') as string },
  ]);
  await receiver.open(port);
  expect(await settled('hook')).toMatchObject({ state: 'delivered' });
  expect((await noticeOf('hook')).failingSince).toBeUndefined();
  expect(receiver.received).toMatchObject([{ isGenuine: true }]);
});

it('sends the same notice again by its id where the receiver asks to wait', async () => {
  await hook('failed');
  receiver.answers = [503];
  receiver.headers = { 'retry-after': '1' };
  await failedRun();
  expect(await settled('hook')).toMatchObject({ state: 'delivered', attempts: 2 });
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
  expect(receiver.received.map(({ isGenuine }) => isGenuine)).toEqual([true, true]);
});

it.each([
  [404, 'The receiver answered 404.'],
  [302, 'Redirects are not followed'],
])('does not try again where the receiver answers %i', async (status, said) => {
  await hook('failed');
  receiver.answers = [status];
  receiver.headers = { location: receiver.url };
  await failedRun();
  expect(await settled('hook')).toMatchObject({
    ...{ state: 'failed', attempts: 1 },
    problem: expect.stringContaining(said) as string,
  });
  expect(receiver.received).toHaveLength(1);
});

it('switches a receiver off that is gone, and on again when it is put once more', async () => {
  await hook('failed');
  receiver.answers = [410];
  await failedRun();
  await until(async () => (await noticeOf('hook')).off);
  await failedRun();
  expect(receiver.received).toHaveLength(1);
  await hook('failed');
  expect((await noticeOf('hook')).off).toBeUndefined();
});

it('switches a receiver off that nothing has reached for days', async () => {
  await hook('failed');
  await server.db.update(notices).set({ failingSince: Date.now() - 4 * 24 * 3_600_000 });
  receiver.answers = [400];
  await failedRun();
  expect(await until(async () => (await noticeOf('hook')).off)).toMatchObject({
    reason: 'The receiver answered 400.',
  });
});

it('refuses to reach into private networks that the operator did not name', async () => {
  await server.temporal.stopWorkers();
  await startWorker([]);
  await hook('failed');
  await failedRun();
  expect(await settled('hook')).toMatchObject({
    state: 'failed',
    problem: expect.stringContaining('MUSTER_WEBHOOK_NETWORKS') as string,
  });
  expect(receiver.received).toEqual([]);
  await server.temporal.stopWorkers();
  await startWorker();
});

it('loses no notice of what happened while Temporal was away', async () => {
  await hook('failed');
  const runId = newRun();
  const gone = createPost(new Client({ connection: server.temporal.connection, namespace: 'no-such-one' }));
  const replica = await server.startReplica({ post: gone });
  const body = statusReport(runView(runId, 'failed', { error: exited }), [], { at: at++ });
  const answer = await callOn(replica, `POST /api/runs/${runId}/status`, { as: central, body });
  expect(answer.statusCode).toBe(204);
  await replica.close();
  expect(await settled('hook')).toMatchObject({ state: 'delivered', runId });
});

it('goes on with another worker where one ends while the receiver has not answered yet', async () => {
  await hook('failed');
  receiver.answers = [undefined];
  await failedRun();
  await until(() => receiver.received.length === 1);
  await server.temporal.stopWorkers();
  await startWorker();
  expect(await settled('hook')).toMatchObject({ state: 'delivered' });
  expect(receiver.received).toHaveLength(2);
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
});

it('keeps no secret, address or word of a node in Temporal, and the secret sealed in the database', async () => {
  await hook('failed');
  await failedRun();
  const { id } = await settled('hook');
  const { events } = await server.temporal.client.workflow.getHandle(id).fetchHistory();
  const payloads = (events ?? []).flatMap((event) => [
    ...(event.workflowExecutionStartedEventAttributes?.input?.payloads ?? []),
    ...(event.activityTaskScheduledEventAttributes?.input?.payloads ?? []),
    ...(event.activityTaskCompletedEventAttributes?.result?.payloads ?? []),
    ...(event.workflowExecutionCompletedEventAttributes?.result?.payloads ?? []),
  ]);
  const told = JSON.stringify(await opened(payloads));
  expect(told).toContain(id);
  for (const secret of [receiver.secret, receiver.url, '4711']) expect(told).not.toContain(secret);
  const rows = JSON.stringify(await server.db.select().from(notices));
  expect(rows).not.toContain(receiver.secret);
});

it('seals secrets by the key in front when an API starts', async () => {
  await hook('failed');
  const next = createNoticeSecrets([{ id: 'next', secret: Buffer.alloc(32, 9) }, ...TEST_KEYS]);
  const ref = { consortiumId: 'penguins', id: 'hook' };
  await expect(next.reseal(server.db)).resolves.toBe(0);
  const [row] = await server.db.select().from(notices);
  const alone = createNoticeSecrets([{ id: 'next', secret: Buffer.alloc(32, 9) }]);
  expect(alone.open(row?.sealedSecret ?? '', ref)).toBe(receiver.secret);
  await expect(createNoticeSecrets(TEST_KEYS).reseal(server.db)).resolves.toBe(1);
});

describe('mails', () => {
  it('are sent to an address of the consortium, in words for people', async () => {
    await put('mail', { kind: 'email', to: 'lab@example.org', on: ['failed'] });
    const runId = await failedRun();
    await settled('mail');
    const [mail] = mailbox.mails;
    expect(mail).toMatchObject({ to: ['lab@example.org'], from: 'muster@example.org' });
    const source = mail?.source.replace(/=\r\n/g, '') ?? '';
    expect(source).toContain(`Subject: Penguins: run ${runId} has failed`);
    expect(source).toContain("It is the turn of the computation's author. Read the node's last log lines.");
    expect(source).toContain(`${PUBLIC_URL}/runs/${runId}`);
    expect(source).not.toContain('4711');
  });

  it('are not tried again where the mailbox is not known', async () => {
    mailbox.unknown.add('nobody@example.org');
    await put('mail', { kind: 'email', to: 'nobody@example.org', on: ['failed'] });
    await failedRun();
    expect(await settled('mail')).toMatchObject({
      ...{ state: 'failed', attempts: 1 },
      problem: expect.stringContaining('no such mailbox') as string,
    });
  });

  it('are sent to people who asked for them, of the runs that they may look at and no others', async () => {
    const ada = person('ada@example.org', { consortia: { penguins: 'viewer' } });
    const bob = person('bob@example.org', { consortia: { others: 'lead' } });
    const cleo = person('cleo@example.org', { sites: ['alpha'] });
    for (const as of [ada, bob, cleo]) {
      const answer = await server.call('PUT /api/me/notices', { as, body: { on: ['failed'] } });
      expect(answer.statusCode).toBe(200);
    }
    await failedRun();
    await until(() => mailbox.mails.length === 2);
    expect(mailbox.mails.flatMap(({ to }) => to).sort()).toEqual(['ada@example.org', 'cleo@example.org']);
    expect(mailbox.mails[0]?.source).toContain('because you asked for it');
    for (const as of [ada, cleo]) await server.call('PUT /api/me/notices', { as, body: { on: [] } });
    expect((await server.call('GET /api/me/notices', { as: ada })).json()).toMatchObject({ on: [] });
  });

  it('are said not to get out, where the centre knows no mail server, until one does', async () => {
    const isWithout = async () => {
      const listed = await server.call('GET /api/consortia/penguins/notices', { as: lead('penguins') });
      const own = await server.call('GET /api/me/notices', { as: person('ada@example.org') });
      const said = [NoticeList.parse(listed.json()), MyNoticesView.parse(own.json())];
      return said.map(({ noMailServer }) => noMailServer);
    };
    mailbox.unknown.add('lab@example.org');
    await put('mail', { kind: 'email', to: 'lab@example.org', on: ['failed'] });
    await failedRun();
    const { id } = await settled('mail');
    expect(await isWithout()).toEqual([false, false]);
    const told = await server.call(`POST /api/notice-deliveries/${id}/report`, {
      as: central,
      body: { outcome: 'retrying', problem: NO_MAIL_SERVER },
    });
    expect(told.statusCode).toBe(204);
    expect(await isWithout()).toEqual([true, true]);
    mailbox.unknown.clear();
    await failedRun();
    await settled('mail');
    expect(await isWithout()).toEqual([false, false]);
  });

  it('are nothing for an operator, who has no account', async () => {
    const answer = await server.call('PUT /api/me/notices', { as: admin, body: { on: ['failed'] } });
    expect(problemOf(answer).type).toContain('forbidden');
  });
});

describe('the notices of a consortium', () => {
  it('can be tested, and say what came of it', async () => {
    await hook('failed');
    const answer = await server.call('POST /api/consortia/penguins/notices/hook/test', {
      as: lead('penguins'),
    });
    expect(answer.statusCode).toBe(202);
    const { deliveryId } = TestedNotice.parse(answer.json());
    expect(await settled('hook')).toMatchObject({ id: deliveryId, event: 'test', state: 'delivered' });
    expect(receiver.received).toMatchObject([{ isGenuine: true, message: { type: 'test' } }]);
  });

  it('show the secret once', async () => {
    const webhook = { kind: 'webhook', url: receiver.url, on: ['failed'] };
    const first = await put('hook', webhook);
    expect(first.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await put('hook', webhook)).not.toHaveProperty('secret');
    expect(JSON.stringify(await noticeOf('hook'))).not.toContain(first.secret);
    const renewed = await put('hook', webhook, 'penguins', '?renewSecret=true');
    expect(renewed.secret).toBeDefined();
    expect(renewed.secret).not.toBe(first.secret);
  });

  it.each([
    'http://example.org/hook',
    'ftp://example.org/hook',
    'https://user:password@example.org/hook',
    'no address',
  ])('may not be sent to %s', async (url) => {
    const answer = await server.call('PUT /api/consortia/penguins/notices/hook', {
      body: { kind: 'webhook', url, on: ['failed'] },
    });
    expect(problemOf(answer).errors).toMatchObject([{ pointer: '/url' }]);
  });

  it('are the business of its leads, and what is to be sent that of central workers', async () => {
    const member = person('member@example.org', { consortia: { penguins: 'member' } });
    const listed = await server.call('GET /api/consortia/penguins/notices', { as: member });
    expect(listed.statusCode).toBe(403);
    const elsewhere = await server.call('GET /api/consortia/penguins/notices', { as: lead('others') });
    expect(elsewhere.statusCode).toBe(403);
    const order = await server.call('GET /api/notice-deliveries/some-delivery');
    expect(order.statusCode).toBe(403);
    const unknown = await server.call('GET /api/notice-deliveries/some-delivery', { as: central });
    expect(problemOf(unknown).type).toContain('unknown-notice');
  });

  it('are at most twenty', async () => {
    const mail = { kind: 'email', to: 'lab@example.org', on: ['failed'] };
    const names = Array.from({ length: 20 }, (_, index) => `mail-${index}`);
    for (const name of names) await put(name, mail);
    const answer = await server.call('PUT /api/consortia/penguins/notices/one-more', { body: mail });
    expect(problemOf(answer).type).toContain('too-many-notices');
    await remove(...names);
  });
});
