/** An instance of the version before people had accounts is brought up to date, and nothing of it is lost. */
import { PGlite } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres';
import { migrate as migratePostgres } from 'drizzle-orm/node-postgres/migrator';
import { drizzle as drizzleEmbedded } from 'drizzle-orm/pglite';
import { migrate as migrateEmbedded } from 'drizzle-orm/pglite/migrator';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Pool } from 'pg';
import { z } from 'zod';
import type { DatabaseConfig } from '../../server/config';
import { openDatabase, type Database } from '../../server/db/client';
import { createParameterSeal, rowOf } from '../../server/parameters/seal';
import { ConsortiumBody, ConsortiumView, RunList } from '../../workflows/api-contract';
import { useFolder } from '../support/folder';
import { TEST_KEYS } from '../support/sealed';
import { describeOnEachDatabase, newEmptyDatabase, silent } from './databases';
import { COMPUTATION } from './scenes';
import { callOn, useServer } from './server';
import { runView } from './views';

const MIGRATIONS = resolve(__dirname, '../../server/db/migrations');
const LAST_BEFORE_PEOPLE = '0007_kit_keys';
const Journal = z.looseObject({ entries: z.array(z.looseObject({ tag: z.string() })) });

const folder = useFolder();

/** The tables as they were, by the migrations that there were. */
async function migrationsUntil(last: string): Promise<string> {
  const old = join(folder, 'migrations');
  await cp(MIGRATIONS, old, { recursive: true });
  await mkdir(join(old, 'meta'), { recursive: true });
  const file = join(old, 'meta', '_journal.json');
  const journal = Journal.parse(JSON.parse(await readFile(file, 'utf8')));
  const end = journal.entries.findIndex(({ tag }) => tag === last) + 1;
  await writeFile(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, end) }));
  return old;
}

/** Does `work` on a database of the version before people. */
async function before(config: DatabaseConfig, work: (db: Database) => Promise<void>): Promise<void> {
  const migrationsFolder = await migrationsUntil(LAST_BEFORE_PEOPLE);
  if ('url' in config) {
    const pool = new Pool({ connectionString: config.url });
    const db = drizzlePostgres({ client: pool });
    await migratePostgres(db, { migrationsFolder });
    await work(db);
    await pool.end();
  } else {
    await mkdir(config.folder, { recursive: true });
    const client = await PGlite.create(join(config.folder, 'db'));
    const db = drizzleEmbedded({ client });
    await migrateEmbedded(db, { migrationsFolder });
    await work(db);
    await client.close();
  }
}

describeOnEachDatabase('an instance of before people had accounts', (kind) => {
  const server = useServer(kind);

  it('has its consortia with their sites, and its runs, and goes on with them', async () => {
    const { config, remove } = await newEmptyDatabase(kind);
    server.temporal.onClose(remove);
    const asked = ConsortiumBody.parse({
      name: 'Penguins',
      computation: { name: COMPUTATION.name, version: COMPUTATION.version },
      parameters: { column: 'mass' },
      sites: [
        { id: 'beta', name: 'Site B', dataset: 'birds' },
        { id: 'alpha', name: 'Site A', dataset: 'fowl' },
      ],
    });
    const seal = createParameterSeal(TEST_KEYS);
    const body = { ...asked, parameters: seal.seal(asked.parameters, rowOf.consortium('penguins')) };
    const view = runView('of-before', 'complete');
    await before(config, async (db) => {
      await db.execute(
        sql`insert into consortia (id, body) values ('penguins', ${JSON.stringify(body)}::json)`,
      );
      await db.execute(
        sql`insert into runs (run_id, consortium_id, started_at, state, view, updated_at)
            values ('of-before', 'penguins', 5, 'complete', ${JSON.stringify(view)}::json, 9)`,
      );
    });

    const upgraded = await openDatabase(config, silent);
    server.temporal.onClose(() => upgraded.close());
    const api = await server.startReplica({ db: upgraded.db });
    const ask = async (what: string, body?: object, headers = {}) => {
      const answer = await callOn(api, what, { body, headers });
      if (answer.statusCode >= 300) throw new Error(`${what}: ${answer.statusCode} ${answer.body}`);
      return answer;
    };

    await ask('POST /api/computations', COMPUTATION);
    const consortium = ConsortiumView.parse((await ask('GET /api/consortia/penguins')).json());
    expect(consortium).toMatchObject({ name: 'Penguins', parameters: { column: 'mass' } });
    expect(consortium.memberships).toMatchObject([
      { siteId: 'beta', name: 'Site B', state: 'accepted', dataset: 'birds' },
      { siteId: 'alpha', name: 'Site A', state: 'accepted', dataset: 'fowl' },
    ]);
    const { runs } = RunList.parse((await ask('GET /api/runs?consortium=penguins')).json());
    expect(runs.map(({ runId, state }) => [runId, state])).toEqual([['of-before', 'complete']]);

    const { etag } = (await ask('GET /api/consortia/penguins')).headers;
    await ask('PATCH /api/consortia/penguins', { description: 'Now with words' }, { 'if-match': etag });
    await ask('POST /api/consortia/penguins/runs', {}, { 'idempotency-key': 'after' });
    expect(RunList.parse((await ask('GET /api/runs?consortium=penguins')).json()).runs).toHaveLength(2);
  });
});
