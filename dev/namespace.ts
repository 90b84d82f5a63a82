/** What a Temporal server must know before runs can start on it: a namespace and its search attributes. */
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { setTimeout as delay } from 'node:timers/promises';
import { forTemporalSdk, readTlsFiles } from '../certificates/tls-files';
import { timeLimit } from '../time/limit';
import { SEARCH_ATTRIBUTES } from '../workflows/contract';
import type { Place } from './place';

/** Temporal's number for each type of search attribute that we use. */
const TYPE_NUMBERS = { Keyword: 2 } as const;
const RETENTION = '7 days';
const POLL_MS = 50;
const PATIENCE_MS = 30_000;

/** Makes sure that runs can be started in that namespace of that server. */
export async function prepareTemporal(
  { address, namespace, tls }: Pick<Place['temporal'], 'address' | 'namespace' | 'tls'>,
  signal: AbortSignal,
): Promise<void> {
  // Loading the client takes a while: longer than the server needs to come up.
  const { Connection } = await import('@temporalio/client');
  const material = tls && { tls: forTemporalSdk(await readTlsFiles('TEMPORAL', tls)) };
  const connection = await Connection.connect({ address, ...material }).catch((error: unknown) => {
    throw new Error(`Temporal at ${address} does not answer.`, { cause: error });
  });
  await ensureNamespace(connection, namespace, signal).finally(() => connection.close());
}

/** Makes a namespace and waits until runs can be started in it. One that exists is kept as it is. */
export async function ensureNamespace(
  connection: Connection,
  namespace: string,
  signal?: AbortSignal,
): Promise<void> {
  const given = signal === undefined ? [] : [signal];
  const waiting = AbortSignal.any([...given, timeLimit(PATIENCE_MS)]);
  const request = { namespace, workflowExecutionRetentionPeriod: msToTs(RETENTION) };
  await until(waiting, () => register(connection, request));
  await until(waiting, () => ensureSearchAttributes(connection, namespace));
  await until(waiting, () => usable(connection, namespace));
}

/** Throws while the server cannot take it: one that listens already may still be starting inside. */
async function register(
  connection: Connection,
  request: Parameters<Connection['workflowService']['registerNamespace']>[0],
): Promise<void> {
  await connection.workflowService.registerNamespace(request).catch(unlessAlreadyThere);
}

/** Registers the search attributes that the namespace still lacks. */
async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => !(name in customAttributes));
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, TYPE_NUMBERS[type]]));
  await connection.operatorService
    .addSearchAttributes({ namespace, searchAttributes })
    .catch(unlessAlreadyThere);
}

/** Throws while the server does not yet know the namespace and its attributes everywhere. */
async function usable(connection: Connection, namespace: string): Promise<void> {
  const query = Object.keys(SEARCH_ATTRIBUTES)
    .map((name) => `${name} = 'none'`)
    .join(' AND ');
  await connection.workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 });
}

async function until(waiting: AbortSignal, action: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await action();
      return;
    } catch (error) {
      if (waiting.aborted) throw error;
    }
    await delay(POLL_MS);
  }
}

function unlessAlreadyThere(error: unknown): void {
  const ALREADY_EXISTS = 6;
  if (error instanceof Error && 'code' in error && error.code === ALREADY_EXISTS) return;
  throw error;
}
