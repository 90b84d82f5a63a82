import { defineSearchAttributeKey } from '@temporalio/common';
import { Client, Connection } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { runs } from '../../server/db/schema';
import { connectTemporal, createRuns } from '../../server/runs/temporal';
import { StartedRun } from '../../workflows/api-contract';
import { CENTRAL_QUEUE, RUN_WORKFLOW, RunInput } from '../../workflows/contract';
import { TEST_KEYS, opened } from '../support/sealed';
import { describeOnEachDatabase } from './databases';
import { admin, callOn, lead, problemOf, PUBLIC_URL, TEMPORAL_UI, useServer, type Bearer } from './server';
import { eventsOf, look, register, statesOf } from './scenes';

describeOnEachDatabase('startRun', (kind) => {
  const server = useServer(kind);
  const startRun = (
    body: object | undefined,
    headers: Record<string, string> = {},
    as: Bearer = lead('penguins'),
  ) => server.call('POST /api/consortia/penguins/runs', { as, body, headers });
  const key = (value: string) => ({ 'idempotency-key': value });
  const startedBy = (answer: { json: () => unknown }) => StartedRun.parse(answer.json()).runId;

  const schema = {
    type: 'object',
    required: ['rounds'],
    properties: { rounds: { type: 'integer', minimum: 1 }, since: { type: 'string', format: 'date' } },
    additionalProperties: false,
  };

  beforeAll(async () => {
    const computation = { name: 'penguins', version: '1.0.0', parameters: schema };
    await register(server, 'penguins', { computation, parameters: { rounds: 3 } });
  });

  it('hands the run to Temporal with all that it needs', async () => {
    const answer = await startRun({ parameters: { rounds: 5 } });
    expect(answer.statusCode).toBe(201);
    const { runId, page, temporal } = StartedRun.parse(answer.json());
    expect(runId).toMatch(/^penguins-\d{6}-\d{4}-[a-z0-9]{6}$/);
    expect(page).toBe(`${PUBLIC_URL}/runs/${runId}`);
    expect(temporal).toBe(`${TEMPORAL_UI}/namespaces/${server.temporal.namespace}/workflows/${runId}`);

    const handle = server.temporal.client.workflow.getHandle(runId);
    const description = await handle.describe();
    expect(description).toMatchObject({ type: RUN_WORKFLOW, taskQueue: CENTRAL_QUEUE });
    const attribute = (name: string) =>
      description.typedSearchAttributes.get(defineSearchAttributeKey(name, 'KEYWORD'));
    expect([attribute('MusterConsortium'), attribute('MusterStatus')]).toEqual(['penguins', 'provisioning']);
    expect(await description.staticSummary()).toBe(
      'penguins 1.0.0 for Penguins of the Palmer archipelago, 2 sites, started by lead@example.org',
    );
    const details = await description.staticDetails();
    expect(details).toContain(`(${page})`);
    expect(details).toContain('Site alpha (`alpha`): birds');
    expect(details).toContain('**Parameters**: rounds');

    const { events } = await handle.fetchHistory();
    const { input: sealed } = events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
    const [given] = await opened(sealed?.payloads);
    const input = RunInput.parse(given);
    expect(input).toMatchObject({
      consortium: { id: 'penguins', name: 'Penguins of the Palmer archipelago' },
      parameters: { rounds: 5 },
      startedBy: 'lead@example.org',
    });
  });

  it('shows the run at once, and tells of it', async () => {
    const runId = startedBy(await startRun({}));
    expect(await statesOf(server, runId)).toEqual({
      ...{ run: 'provisioning', central: 'waiting', alpha: 'waiting', beta: 'waiting' },
    });
    const { run, lastEventId } = await look(server, runId);
    expect(run).toMatchObject({ runId, startedBy: 'lead@example.org', computation: { name: 'penguins' } });
    const [event, ...others] = await eventsOf(server, runId);
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      ...{ id: lastEventId, type: 'CentralClientStartRun' },
      data: { consortium: 'penguins', startedBy: 'lead@example.org', sites: ['alpha', 'beta'] },
    });
  });

  it('needs no body to take the parameters of the consortium', async () => {
    const answer = await startRun(undefined);
    expect(answer.statusCode).toBe(201);
  });

  it('points at every parameter that is wrong', async () => {
    const problem = problemOf(await startRun({ parameters: { since: 'yesterday', more: 1 } }));
    expect(problem).toMatchObject({ status: 422, type: 'urn:muster:problem:invalid-parameters' });
    expect(problem.detail).toContain('The parameters do not fit penguins');
    expect(problem.errors).toEqual([
      { pointer: '/parameters/rounds', detail: "must have required property 'rounds'" },
      { pointer: '/parameters/more', detail: 'must NOT have additional properties' },
      { pointer: '/parameters/since', detail: 'must match format "date"' },
    ]);
  });

  it("says so when the consortium's own parameters are wrong", async () => {
    await register(server, 'careless', { computation: { name: 'x', version: '1', parameters: schema } });
    const problem = problemOf(await server.call('POST /api/consortia/careless/runs', { body: {} }));
    expect(problem.detail).toContain('The parameters of careless do not fit x: /parameters/rounds');
  });

  it('understands schemas of draft-07, and schemas that share an id', async () => {
    const draft7 = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      $id: 'https://example.org/same',
      properties: { pair: { items: [{ type: 'number' }], additionalItems: false } },
    };
    const latest = {
      $id: 'https://example.org/same',
      properties: { pair: { prefixItems: [{ type: 'string' }], items: false } },
    };
    for (const parameters of [draft7, latest]) {
      await register(server, 'schemas', { computation: { name: 'x', version: '1', parameters } });
      const answer = await server.call('POST /api/consortia/schemas/runs', {
        body: { parameters: { pair: [true, 2] } },
      });
      const pointers = problemOf(answer).errors?.map(({ pointer }) => pointer);
      expect(new Set(pointers)).toEqual(new Set(['/parameters/pair/0', '/parameters/pair']));
    }
  });

  it('names a consortium that does not exist', async () => {
    const answer = await server.call('POST /api/consortia/nobodies/runs', { as: lead('nobodies'), body: {} });
    expect(problemOf(answer)).toMatchObject({ status: 404, detail: 'There is no consortium nobodies.' });
  });

  it('is for those who lead the consortium', async () => {
    const problem = problemOf(await startRun({}, {}, lead('others')));
    expect(problem).toMatchObject({
      status: 403,
      detail: 'This is for a lead of the consortium penguins; lead@example.org is not.',
    });
  });

  describe('with an Idempotency-Key', () => {
    it('gives the same run to the same request', async () => {
      const first = await startRun({ parameters: { rounds: 1 } }, key('again'));
      const second = await startRun({ parameters: { rounds: 1 } }, key('again'));
      expect([first.statusCode, second.statusCode]).toEqual([201, 200]);
      expect(second.json()).toEqual(first.json());
    });

    it('gives one run to requests that race', async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => startRun({}, key('race'))));
      expect(new Set(answers.map(startedBy)).size).toBe(1);
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([
        ...Array<number>(7).fill(200),
        201,
      ]);
      expect(await eventsOf(server, startedBy(answers[0]!))).toHaveLength(1);
    });

    it('refuses the key for another request, and takes it for another consortium', async () => {
      const first = await startRun({ parameters: { rounds: 1 } }, key('mine'));
      const problem = problemOf(await startRun({ parameters: { rounds: 2 } }, key('mine')));
      expect(problem).toMatchObject({ status: 422, type: 'urn:muster:problem:idempotency-key-reused' });
      expect(problem.detail).toContain(startedBy(first));
      expect(problemOf(await startRun({}, key('mine'))).status).toBe(422);
      await register(server, 'neighbours');
      const other = await server.call('POST /api/consortia/neighbours/runs', {
        body: {},
        headers: key('mine'),
      });
      expect(other.statusCode).toBe(201);
    });

    it('gives the same run after the consortium has changed', async () => {
      await register(server, 'changing');
      const ask = () => server.call('POST /api/consortia/changing/runs', { body: {}, headers: key('k') });
      const first = await ask();
      await register(server, 'changing', { parameters: { other: true } });
      expect(startedBy(await ask())).toBe(startedBy(first));
    });

    it('wants a key that can be told apart', async () => {
      for (const value of ['', 'with space', 'x'.repeat(201)]) {
        expect(problemOf(await startRun({}, key(value)))).toMatchObject({
          ...{ status: 400, errors: [{ pointer: '/idempotency-key' }] },
        });
      }
    });
  });

  describe('while Temporal does not answer', () => {
    const ask = { headers: key('patience'), body: {} };
    let deaf: Client;
    beforeAll(() => {
      deaf = connectTemporal({ address: '127.0.0.1:1', namespace: 'default' }, TEST_KEYS);
      server.temporal.onClose(() => deaf.connection.close());
    });

    it('says so, keeps the run, and starts it when it is asked again', async () => {
      const replica = await server.startReplica({ temporal: createRuns(deaf) });
      const refused = await callOn(replica, 'POST /api/consortia/penguins/runs', ask);
      expect(problemOf(refused)).toMatchObject({
        ...{ status: 503, type: 'urn:muster:problem:temporal-unreachable' },
        detail: expect.stringContaining('Temporal does not answer') as string,
      });
      const [row] = await server.db.select().from(runs).where(eq(runs.idempotencyKey, 'patience'));
      expect(row?.state).toBe('provisioning');

      const accepted = await server.call('POST /api/consortia/penguins/runs', ask);
      expect([accepted.statusCode, startedBy(accepted)]).toEqual([200, row?.runId]);
      await server.temporal.client.workflow.getHandle(startedBy(accepted)).describe();
      expect(await eventsOf(server, startedBy(accepted))).toHaveLength(1);
    });

    it('a run that was given up meanwhile begins anew when it is asked for again', async () => {
      const replica = await server.startReplica({ temporal: createRuns(deaf) });
      await callOn(replica, 'POST /api/consortia/penguins/runs', { body: {}, headers: key('given-up') });
      const ofKey = eq(runs.idempotencyKey, 'given-up');
      const [row] = await server.db.update(runs).set({ updatedAt: 0 }).where(ofKey).returning();
      const { run, nodes } = await look(server, row!.runId);
      expect(run).toMatchObject({ state: 'failed', error: { type: 'RunFailed' } });
      expect(run.error?.message).toContain('never handed to Temporal');
      expect(nodes.map(({ state }) => state)).toEqual(['lost', 'lost', 'lost']);

      const again = await startRun({}, key('given-up'), admin);
      expect([again.statusCode, startedBy(again)]).toEqual([200, row!.runId]);
      expect(await statesOf(server, row!.runId)).toMatchObject({ run: 'provisioning', central: 'waiting' });
      await server.temporal.client.workflow.getHandle(row!.runId).describe();
    });
  });

  it('takes a run that Temporal has already for started', async () => {
    const answer = await startRun({}, key('died-between'));
    // As if the API had died after Temporal accepted the run and before that was written down.
    await server.db.update(runs).set({ handedOver: false }).where(eq(runs.idempotencyKey, 'died-between'));
    const again = await startRun({}, key('died-between'));
    expect([again.statusCode, again.json()]).toEqual([200, answer.json()]);
    const [row] = await server.db.select().from(runs).where(eq(runs.idempotencyKey, 'died-between'));
    expect(row?.handedOver).toBe(true);
  });

  it('does not start again a run that has ended meanwhile', async () => {
    const runId = startedBy(await startRun({}, key('over')));
    await server.temporal.client.workflow.getHandle(runId).terminate('over');
    await server.db.update(runs).set({ handedOver: false }).where(eq(runs.runId, runId));
    expect((await startRun({}, key('over'))).statusCode).toBe(200);
    const { status } = await server.temporal.client.workflow.getHandle(runId).describe();
    expect(status.name).toBe('TERMINATED');
  });

  it('passes on what Temporal objects to', async () => {
    const connection = await Connection.connect({ address: server.temporal.address });
    server.temporal.onClose(() => connection.close());
    const elsewhere = createRuns(new Client({ connection, namespace: 'no-such-namespace' }));
    const replica = await server.startReplica({ temporal: elsewhere });
    const problem = problemOf(await callOn(replica, 'POST /api/consortia/penguins/runs', { body: {} }));
    expect(problem).toMatchObject({ status: 502, type: 'urn:muster:problem:temporal-refused' });
    expect(problem.detail).toContain('no-such-namespace');
  });
});
