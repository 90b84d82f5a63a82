/** Parameters that are secret reach a run, and nobody else; those of all rows are sealed in the database. */
import { eq } from 'drizzle-orm';
import type { FastifyInstance } from 'fastify';
import { consortia, runs } from '../../../server/db/schema';
import { createParameterSeal, rowOf } from '../../../server/parameters/seal';
import { sealRows } from '../../../server/parameters/seal-rows';
import { createRuns } from '../../../server/runs/temporal';
import { ConsortiumView, StartedRun } from '../../../workflows/api-contract';
import type { Parameters, RunInput } from '../../../workflows/contract';
import { describeOnEachDatabase } from '../databases';
import { consortiumDraft, eventsOf, register } from '../scenes';
import { admin, callOn, lead, problemOf, tokenFor, useServer } from '../server';

const CANARY = 'canary-7f3a9c';
const ANOTHER = 'canary-51be02';
const NAME = 'canary-name-of-a-key';

const computation = {
  name: 'private',
  version: '1.0.0',
  parameters: {
    type: 'object',
    required: ['rounds', 'password'],
    additionalProperties: false,
    properties: {
      rounds: { type: 'integer' },
      password: { type: 'string', minLength: 8, writeOnly: true },
      tokens: { type: 'object', additionalProperties: { type: 'string' }, writeOnly: true },
      store: { type: 'object', properties: { url: {}, key: { type: 'string', writeOnly: true } } },
    },
  },
};
const whole = { rounds: 3, password: CANARY, store: { url: 'https://store.example.org', key: CANARY } };
const shown = { rounds: 3, store: { url: 'https://store.example.org' } };

describeOnEachDatabase('secret parameters', (kind) => {
  const server = useServer(kind);
  /** What runs were handed over to Temporal. */
  const inputs = new Map<string, RunInput>();
  let api: FastifyInstance;

  beforeAll(async () => {
    const temporal = createRuns(server.temporal.client);
    api = await server.startReplica({
      temporal: { ...temporal, start: (runId, input) => Promise.resolve(void inputs.set(runId, input)) },
    });
    await register(server, 'private', { computation, parameters: whole });
  });

  const put = (id: string, parameters: Parameters, version = computation.version) =>
    callOn(api, `PUT /api/consortia/${id}`, {
      as: admin,
      body: consortiumDraft({ computation: { name: 'private', version }, parameters }),
    });
  async function start(id: string, parameters?: Parameters, headers: Record<string, string> = {}) {
    const answer = await callOn(api, `POST /api/consortia/${id}/runs`, {
      as: lead(id),
      body: { parameters },
      headers,
    });
    return { answer, runId: answer.statusCode < 300 ? StartedRun.parse(answer.json()).runId : '' };
  }
  /** The parameters that a run gets which brings none. */
  const storedOf = async (id: string) => inputs.get((await start(id)).runId)?.parameters;

  it('are shown to nobody, and it is said where they are', async () => {
    const answers = [
      await put('private', whole),
      await callOn(api, 'GET /api/consortia/private', { as: lead('private') }),
      await callOn(api, 'GET /api/consortia/private', { as: admin }),
      await callOn(api, 'GET /api/consortia', { as: admin }),
    ];
    for (const { statusCode, body } of answers) {
      expect(statusCode).toBe(200);
      expect(body).not.toContain(CANARY);
      expect(body).toContain('https://store.example.org');
    }
    const view = ConsortiumView.parse(answers[1]?.json());
    expect(view.parameters).toEqual(shown);
    expect(view.secrets).toEqual(['/password', '/store/key']);
  });

  it('reach the run, and neither its page, its events nor the log', async () => {
    const { runId } = await start('private');
    expect(inputs.get(runId)?.parameters).toEqual(whole);
    const run = await callOn(api, `GET /api/runs/${runId}`, { as: admin });
    expect(run.statusCode).toBe(200);
    const told = [run.body, JSON.stringify(await eventsOf(server, runId)), server.log].join();
    expect(told).toContain(runId);
    expect(told).not.toContain(CANARY);
  });

  it('are sealed in every row', async () => {
    await start('private', { ...whole, password: ANOTHER }, { 'idempotency-key': 'sealed' });
    const rows = JSON.stringify([
      await server.db.select().from(consortia),
      await server.db.select().from(runs),
    ]);
    expect(rows).toContain('Penguins of the Palmer archipelago');
    for (const canary of [CANARY, ANOTHER, 'https://store.example.org']) expect(rows).not.toContain(canary);
  });

  it('stay where they are when the rest is read, changed and written', async () => {
    await put('changed', whole);
    await put('changed', { ...shown, rounds: 4 });
    expect(await storedOf('changed')).toEqual({ ...whole, rounds: 4 });
    await put('changed', { rounds: 5, password: ANOTHER, store: { url: 'elsewhere', key: null } });
    expect(await storedOf('changed')).toEqual({ rounds: 5, password: ANOTHER, store: { url: 'elsewhere' } });
    const cleared = await put('changed', { rounds: 5, password: null });
    expect(ConsortiumView.parse(cleared.json()).secrets).toBeUndefined();
  });

  it('stay with the next version of the computation, and not with another', async () => {
    await put('upgraded', whole);
    await callOn(api, 'POST /api/computations', { body: { ...computation, version: '2.0.0' } });
    await put('upgraded', shown, '2.0.0');
    expect(await storedOf('upgraded')).toEqual(whole);
    const { properties } = computation.parameters;
    const plain = {
      ...computation,
      version: '3.0.0',
      parameters: { properties: { ...properties, password: {} } },
    };
    await callOn(api, 'POST /api/computations', { body: plain });
    const open = await put('upgraded', shown, '3.0.0');
    expect(open.body).not.toContain(CANARY);
    expect(ConsortiumView.parse(open.json()).secrets).toEqual(['/store/key']);

    await callOn(api, 'POST /api/computations', { body: { ...computation, name: 'foreign' } });
    const foreign = await callOn(api, 'PUT /api/consortia/upgraded', {
      body: consortiumDraft({ computation: { name: 'foreign', version: '1.0.0' }, parameters: shown }),
    });
    expect(ConsortiumView.parse(foreign.json()).secrets).toBeUndefined();
  });

  it('of the consortium are used by a run that brings the other parameters', async () => {
    await put('private', whole);
    const { runId } = await start('private', { rounds: 9 });
    expect(inputs.get(runId)?.parameters).toEqual({ rounds: 9, password: CANARY });
    const without = await start('private', { rounds: 9, password: null });
    expect(problemOf(without.answer).errors).toEqual([
      { pointer: '/parameters/password', detail: "must have required property 'password'" },
    ]);
  });

  it('that do not fit are not quoted, nor the names inside them', async () => {
    const wrong = { rounds: 'three', password: 'short', tokens: { [NAME]: { a: 1 } } };
    const { answer } = await start('private', wrong);
    const { errors } = problemOf(answer);
    expect(errors).toEqual([
      { pointer: '/parameters/rounds', detail: 'must be integer' },
      { pointer: '/parameters/password', detail: 'must NOT have fewer than 8 characters' },
      { pointer: '/parameters/tokens', detail: 'must be string' },
    ]);
    expect(answer.body).not.toContain(NAME);
  });

  it('are not quoted when the request is not even JSON', async () => {
    const before = server.log.length;
    const answer = await api.inject({
      method: 'POST',
      url: '/api/consortia/private/runs',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenFor(admin)}` },
      payload: `{"parameters": {"password": "${CANARY}}}`,
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.body + server.log.slice(before)).not.toContain(CANARY);
  });

  it('make the same request known by its key, and another one too', async () => {
    const key = { 'idempotency-key': 'secret-request' };
    const first = await start('private', { ...whole, password: ANOTHER }, key);
    const again = await start('private', { ...whole, password: ANOTHER }, key);
    expect([first.answer.statusCode, again.answer.statusCode]).toEqual([201, 200]);
    expect(again.runId).toBe(first.runId);
    const other = await start('private', whole, key);
    expect(problemOf(other.answer).status).toBe(422);
    expect(other.answer.body).not.toContain(CANARY);
  });

  it('that were left in the database as they were are sealed when an API of today starts', async () => {
    await put('old', whole);
    const { runId } = await start('old', whole, { 'idempotency-key': 'old' });
    const key = { id: 'k', secret: Buffer.alloc(32, 1) };
    const seal = createParameterSeal([key]);
    const [consortium] = await server.db.select().from(consortia).where(eq(consortia.id, 'old'));
    const [run] = await server.db.select().from(runs).where(eq(runs.runId, runId));
    if (!consortium || !run?.input) throw new Error('there are no rows');
    const [body, input] = [
      { ...consortium.body, parameters: whole },
      { ...run.input, parameters: whole },
    ];
    await server.db.update(consortia).set({ body }).where(eq(consortia.id, 'old'));
    await server.db.update(runs).set({ input, requested: whole }).where(eq(runs.runId, runId));
    expect(await storedOf('old')).toEqual(whole);

    await sealRows(server.db, seal);
    const [after] = await server.db.select().from(runs).where(eq(runs.runId, runId));
    const [sealed] = await server.db.select().from(consortia).where(eq(consortia.id, 'old'));
    expect(JSON.stringify([after, sealed])).not.toContain(CANARY);
    expect(seal.open(sealed?.body.parameters ?? '', rowOf.consortium('old'))).toEqual(whole);
    expect(seal.open(after?.input?.parameters ?? '', rowOf.run(runId))).toEqual(whole);
    expect(seal.open(after?.requested ?? '', rowOf.request(runId))).toEqual(whole);

    // The key is replaced, and then no longer needed.
    const next = { id: 'k2', secret: Buffer.alloc(32, 2) };
    const unreadable = await sealRows(server.db, createParameterSeal([next, key]));
    // Those of the other tests, by the key of their API.
    expect(unreadable).toBeGreaterThan(0);
    expect(await storedOf('private')).toEqual(whole);
    const [again] = await server.db.select().from(runs).where(eq(runs.runId, runId));
    const later = createParameterSeal([next]);
    expect(later.open(again?.input?.parameters ?? '', rowOf.run(runId))).toEqual(whole);
    expect(later.open(again?.requested ?? '', rowOf.request(runId))).toEqual(whole);
    // By a key that this API does not have.
    expect(problemOf(await callOn(api, 'GET /api/consortia/old'))).toMatchObject({
      ...{ status: 503, type: 'urn:muster:problem:key-missing' },
      detail: expect.stringContaining('MUSTER_PAYLOAD_KEYS') as string,
    });
    await server.db.delete(consortia).where(eq(consortia.id, 'old'));
  });

  it('do not open in the row of another', () => {
    const seal = createParameterSeal([{ id: 'k', secret: Buffer.alloc(32, 1) }]);
    const sealed = seal.seal(whole, rowOf.consortium('a'));
    expect(() => seal.open(sealed, rowOf.consortium('b'))).toThrow('MUSTER_PAYLOAD_KEYS');
  });
});
