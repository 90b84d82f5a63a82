/** Databases for tests: each test file gets one of its own, empty but for its tables. */
import { fastify } from 'fastify';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Pool } from 'pg';
import type { DatabaseConfig } from '../../server/config';
import { openDatabase } from '../../server/db/client';

export type DatabaseKind = 'embedded' | 'postgres';

/** The same tests on each database there is; Postgres is one where DATABASE_URL_TEST names a server. */
export function describeOnEachDatabase(name: string, tests: (kind: DatabaseKind) => void): void {
  describe(`${name} (embedded database)`, () => tests('embedded'));
  describeOnPostgres(name, () => tests('postgres'));
}

/** Tests on Postgres alone. */
export function describeOnPostgres(name: string, tests: () => void): void {
  if (process.env.DATABASE_URL_TEST) describe(`${name} (Postgres)`, tests);
  else describe.skip(`${name} (Postgres, skipped: DATABASE_URL_TEST is not set)`, tests);
}

export interface NewDatabase {
  config: DatabaseConfig;
  remove: () => Promise<void>;
}

export const silent = fastify({ logger: false }).log;

export function newDatabase(kind: DatabaseKind): Promise<NewDatabase> {
  return kind === 'embedded' ? newFolder() : newPostgres();
}

/** One that has no tables yet. */
export async function newEmptyDatabase(kind: DatabaseKind): Promise<NewDatabase> {
  return kind === 'embedded' ? emptyFolder() : newPostgres();
}

async function newFolder(): Promise<NewDatabase> {
  const made = await emptyFolder();
  await cp(await template(), made.config.folder, { recursive: true });
  return made;
}

async function emptyFolder(): Promise<NewDatabase & { config: { folder: string } }> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-test-api-'));
  return { config: { folder }, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** To make an embedded database takes seconds, to copy one does not. So one is made for all tests, and kept. */
async function template(): Promise<string> {
  const root = resolve(__dirname, '../..');
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', 'server/db/migrations/meta/_journal.json'])
    hash.update(await readFile(join(root, file)));
  const folder = join(root, 'node_modules/.cache/muster', `database-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  const made = await openDatabase({ folder: unfinished }, silent);
  await made.close();
  // Another test file may have been faster.
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true }));
  return folder;
}

/** A database of its own on the Postgres server of DATABASE_URL_TEST. */
async function newPostgres(): Promise<NewDatabase> {
  const address = new URL(process.env.DATABASE_URL_TEST ?? '');
  const name = `muster_test_${randomBytes(6).toString('hex')}`;
  const pool = new Pool({ connectionString: address.href });
  await pool.query(`create database ${name}`);
  const url = Object.assign(new URL(address.href), { pathname: `/${name}` }).href;
  return {
    config: { url },
    remove: async () => {
      await pool.query(`drop database ${name}`);
      await pool.end();
    },
  };
}
