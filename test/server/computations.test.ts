/** The registry of computations: what a version means is settled when it is registered. */
import { sql } from 'drizzle-orm';
import { readFile } from 'node:fs/promises';
import { computations, consortia } from '../../server/db/schema';
import { ComputationList, ComputationRecord } from '../../workflows/api-contract';
import { describeOnEachDatabase } from './databases';
import { register } from './scenes';
import { lead, problemOf, useServer } from './server';

describeOnEachDatabase('the registry of computations', (kind) => {
  const server = useServer(kind);
  const add = (body: object, query = '') => server.call(`POST /api/computations${query}`, { body });
  const recordOf = (answer: { json: () => unknown }) => ComputationRecord.parse(answer.json());

  it('fills in what a manifest leaves out, and gives the same record when it is asked again', async () => {
    const first = await add({ name: 'mean', version: '1.0.0' });
    expect(first.statusCode).toBe(201);
    expect(recordOf(first)).toMatchObject({
      computation: {
        commands: { edge: ['python', '/workspace/system/entry_edge.py'] },
        deadlines: { stopGrace: '20s' },
        provisionInput: 'users',
      },
      addedBy: 'admin@example.org',
    });
    const again = await add({ name: 'mean', version: '1.0.0' });
    expect([again.statusCode, again.json()]).toEqual([200, first.json()]);
  });

  it('keeps a version as it is, unless it is replaced on purpose', async () => {
    await add({ name: 'fixed', version: '1.0.0', ports: 1 });
    const changed = { name: 'fixed', version: '1.0.0', ports: 2 };
    expect(problemOf(await add(changed))).toMatchObject({
      status: 409,
      type: 'urn:muster:problem:computation-exists',
    });
    expect((await add(changed, '?replace=true')).statusCode).toBe(200);
    const kept = recordOf(await server.call('GET /api/computations/fixed/1.0.0', { as: lead('c') }));
    expect(kept.computation.ports).toBe(2);
  });

  it('lists all versions', async () => {
    await add({ name: 'listed', version: '1' });
    await add({ name: 'listed', version: '2' });
    const { computations } = ComputationList.parse((await server.call('GET /api/computations')).json());
    const versions = computations.filter(({ computation }) => computation.name === 'listed');
    expect(versions.map(({ computation }) => computation.version)).toEqual(['2', '1']);
  });

  it('removes a version that no consortium uses, and only such', async () => {
    const computation = { name: 'used', version: '1' };
    await register(server, 'user', { computation });
    const inUse = problemOf(await server.call('DELETE /api/computations/used/1'));
    expect(inUse).toMatchObject({ status: 409, detail: 'used 1 is the computation of user.' });
    await register(server, 'user', { computation: { name: 'used', version: '2' } });
    expect((await server.call('DELETE /api/computations/used/1')).statusCode).toBe(204);
    expect(problemOf(await server.call('DELETE /api/computations/used/1')).status).toBe(404);
    expect(problemOf(await server.call('GET /api/computations/used/1')).detail).toBe(
      'used 1 is not registered.',
    );
  });

  it.each([
    ['a key that is not known', { name: 'x', version: '1', imagee: 'y' }, 400, '/imagee'],
    [
      'a duration without a unit',
      { name: 'x', version: '1', deadlines: { run: '20' } },
      400,
      '/deadlines/run',
    ],
    [
      'a schema that nothing can be checked against',
      { name: 'x', version: '1', parameters: { type: 'thing' } },
      422,
      '/parameters',
    ],
  ])('refuses %s, and says where', async (_what, body, status, pointer) => {
    expect(problemOf(await add(body))).toMatchObject({ status, errors: [{ pointer }] });
  });

  it('takes over the computations that consortia held themselves', async () => {
    await server.db.insert(consortia).values({
      id: 'old',
      body: {
        name: 'Old',
        sites: [],
        computation: { name: 'within', version: '1', image: 'sha256:1' },
      } as never,
    });
    const migration = await readFile('server/db/migrations/0001_computations.sql', 'utf8');
    for (const statement of migration.split('--> statement-breakpoint').slice(1)) {
      const only = statement.replace('FROM "consortia")', `FROM "consortia" WHERE "id" = 'old')`);
      await server.db.execute(sql.raw(only));
    }
    const [row] = await server.db
      .select()
      .from(computations)
      .where(sql`name = 'within'`);
    expect(row).toMatchObject({ manifest: { image: 'sha256:1' }, image: { digest: 'sha256:1', labels: {} } });
    const [kept] = await server.db
      .select()
      .from(consortia)
      .where(sql`id = 'old'`);
    expect(kept?.body.computation).toEqual({ name: 'within', version: '1' });
    await server.db.delete(consortia).where(sql`id = 'old'`);
  });
});
