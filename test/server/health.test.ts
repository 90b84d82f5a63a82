import { connectTemporal, createRuns } from '../../server/runs/temporal';
import { createObjectStore, objectStoreConfigFromEnv } from '../../storage/object-store';
import { testObjectStoreEnv } from '../support/object-store';
import { TEST_KEYS } from '../support/sealed';
import { z } from 'zod';
import { HealthChecks } from '../../workflows/problem-contract';
import { CENTRAL_QUEUE } from '../../workflows/contract';
import { until } from '../support/until';
import { callOn, problemOf, useServer } from './server';

const ReadyAnswer = z.object({ checks: HealthChecks });

describe('health', () => {
  const server = useServer();

  it('is good when everything answers, also where no central worker is there yet', async () => {
    expect((await server.call('GET /healthz')).json()).toEqual({ status: 'ok' });
    const ready = await server.call('GET /readyz');
    expect([ready.statusCode, ready.json()]).toEqual([
      200,
      {
        status: 'ready',
        checks: { database: 'ok', temporal: 'ok', objectStore: 'ok', centralWorker: 'failed' },
      },
    ]);
  });

  it('says when a central worker asks for work', async () => {
    const { workflowBundle } = server.temporal;
    await server.temporal.startWorker({ taskQueue: CENTRAL_QUEUE, workflowBundle });
    await until(async () => {
      const { checks } = ReadyAnswer.parse((await server.call('GET /readyz')).json());
      return checks.centralWorker === 'ok';
    });
  });

  it('names what does not answer, and is alive all the same', async () => {
    const deaf = connectTemporal({ address: '127.0.0.1:1', namespace: 'default' }, TEST_KEYS);
    server.temporal.onClose(() => deaf.connection.close());
    const objects = createObjectStore(
      objectStoreConfigFromEnv({ ...testObjectStoreEnv(), MINIO_ENDPOINT: 'http://127.0.0.1:1' }),
    );
    const replica = await server.startReplica({ temporal: createRuns(deaf), objects });
    const answer = await callOn(replica, 'GET /readyz');
    expect(problemOf(answer)).toMatchObject({
      ...{ status: 503, type: 'urn:muster:problem:not-ready' },
      detail: 'No answer from: temporal, objectStore. The log says why.',
    });
    expect(answer.json()).toMatchObject({
      checks: { database: 'ok', temporal: 'failed', objectStore: 'failed', centralWorker: 'failed' },
    });
    expect((await callOn(replica, 'GET /healthz')).statusCode).toBe(200);
  });
});
