/** Opens the database: Postgres, or the same SQL embedded (PGlite) in a folder. Migrations are applied on the way. */
import { PGlite } from '@electric-sql/pglite';
import { DrizzleQueryError } from 'drizzle-orm/errors';
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres';
import { migrate as migratePostgres } from 'drizzle-orm/node-postgres/migrator';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle as drizzleEmbedded } from 'drizzle-orm/pglite';
import { migrate as migrateEmbedded } from 'drizzle-orm/pglite/migrator';
import { join } from 'node:path';
import { Pool } from 'pg';
import type { FastifyBaseLogger } from 'fastify';
import { readTlsFiles } from '../../certificates/tls-files';
import type { DatabaseConfig } from '../config';
import { claimFolder, FolderInUse } from './data-folder';

/** What queries are made with, whichever database it is; a transaction is one too. */
export type Database = PgDatabase<PgQueryResultHKT>;

export interface OpenDatabase {
  db: Database;
  close(): Promise<void>;
}

type PostgresConfig = Extract<DatabaseConfig, { url: string }>;

const migrations = { migrationsFolder: join(__dirname, 'migrations') };
const casing = 'snake_case';
/** Any number: servers that start together take turns to migrate. */
const MIGRATION_LOCK = 7_400_001;

/**
 * Opens the database and brings its tables up to date.
 * @throws FolderInUse when another process has the embedded database open
 */
export async function openDatabase(config: DatabaseConfig, log: FastifyBaseLogger): Promise<OpenDatabase> {
  try {
    return await ('url' in config ? openPostgres(config, log) : openEmbedded(config.folder));
  } catch (error) {
    if (error instanceof FolderInUse) throw error;
    const which = 'url' in config ? nameOf(config) : `in ${config.folder}`;
    throw new Error(`Cannot open the database ${which}: ${reasonOf(error)}`, { cause: error });
  }
}

function nameOf({ url, tls }: PostgresConfig): string {
  const by = { none: '', public: ' by TLS', own: ' by TLS (DATABASE_TLS_CA)' };
  return `at ${new URL(url).host}${by[typeof tls === 'object' ? 'own' : (tls ?? 'none')]}`;
}

/** A connection that was tried at several addresses fails without a message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  if (error instanceof DrizzleQueryError && error.cause) return reasonOf(error.cause);
  return error instanceof Error ? error.message : String(error);
}

async function openEmbedded(folder: string): Promise<OpenDatabase> {
  const claim = claimFolder(folder);
  try {
    const client = await PGlite.create(join(folder, 'db'));
    const db = drizzleEmbedded({ client, casing });
    await migrateEmbedded(db, migrations);
    return {
      db,
      async close() {
        await client.close();
        claim.release();
      },
    };
  } catch (error) {
    claim.release();
    throw error;
  }
}

async function openPostgres({ url, tls }: PostgresConfig, log: FastifyBaseLogger): Promise<OpenDatabase> {
  const ssl = typeof tls === 'object' ? await readTlsFiles('DATABASE', tls) : tls && true;
  const pool = new Pool({ connectionString: url, ssl, connectionTimeoutMillis: 5_000 });
  // A connection that breaks while nobody uses it is replaced when the next one is needed.
  pool.on('error', (error) => log.warn({ err: error }, 'a database connection broke'));
  const migrating = await pool.connect();
  try {
    await migrating.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migratePostgres(drizzlePostgres({ client: migrating, casing }), migrations);
    await migrating.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  } finally {
    migrating.release(true);
  }
  return { db: drizzlePostgres({ client: pool, casing }), close: () => pool.end() };
}
