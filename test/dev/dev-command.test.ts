import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createMusterApi, type MusterApi } from '../../client';
import { createTransport } from '../../client/site-transport';
import { identify } from '../../nodes/process-table';
import { createTestAuthority } from '../support/certificates';
import { useFolder } from '../support/folder';
import { startTlsFront } from '../support/tls-front';
import { MusterProcess } from '../support/try';

const PARTS = ['temporal', 'minio', 'api', 'gateway', 'central-worker'];
const COMPUTATION = { name: 'nothing', version: '1' };
const CONSORTIUM = {
  name: 'Kept',
  computation: { name: 'nothing', version: '1' },
  sites: [{ id: 'a', name: 'A', dataset: 'd' }],
};

jest.setTimeout(180_000);

const started: MusterProcess[] = [];
async function start(...given: Parameters<typeof MusterProcess.start>): Promise<MusterProcess> {
  const muster = await MusterProcess.start(...given);
  started.push(muster);
  return muster;
}
afterAll(() => Promise.all(started.map((muster) => muster.end())));

/** The API as the page's address lets one use it, once the stack is up. */
async function apiOf(muster: MusterProcess): Promise<MusterApi> {
  const [, url = '', token = ''] = await muster.says(/Page +(http:\S+)\/#token=(\S+)/);
  return createMusterApi({ url, token });
}

/** Takes a port away, if nobody has done so yet. */
function occupy(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => {
    const settle = () => resolve(server);
    server.once('error', settle).listen(port, '127.0.0.1', settle);
  });
}

describe('muster dev', () => {
  const state = useFolder();
  let muster: MusterProcess;
  let api: MusterApi;

  it('brings up all parts, in order, at other ports where the usual ones are taken', async () => {
    const taken = await Promise.all([7233, 8233, 9000, 7400, 7410, 7443].map(occupy));
    muster = await start(['dev'], { state });
    api = await apiOf(muster);
    for (const server of taken) server.close();
    expect(muster.stdout).toMatch(
      /^Temporal +127.*\nObject store +https.*\nCentral API +http.*\nSite gateway +127.*\nCentral worker +\S.*\n/,
    );
    expect(muster.stdout).not.toMatch(/:(7233|8233|9000|7400|7410)\b/);
    expect(await api.listRuns()).toEqual({ runs: [] });
    const [, store = ''] = await muster.says(/Object store +(\S+)/);
    const ca = await readFile(join(state, 'tls', 'ca.crt'), 'utf8');
    const ready = `${store}/minio/health/ready`;
    expect((await createTransport(store, { ca }, {}).fetch(ready, { method: 'GET', headers: {} })).ok).toBe(
      true,
    );
    const [, ui = ''] = await muster.says(/Temporal Web UI +(\S+)/);
    expect((await fetch(ui)).ok).toBe(true);
  });

  it('lists its processes, and keeps its secrets to its owner', async () => {
    const processes = await muster.processes();
    expect(processes.map(({ name }) => name).sort()).toEqual([...PARTS].sort());
    for (const { pid } of processes) expect(await identify(pid)).toBeDefined();
    expect((await stat(join(state, 'secrets.json'))).mode & 0o077).toBe(0);
    expect((await stat(join(state, 'stack.json'))).mode & 0o077).toBe(0);
    expect((await stat(state)).mode & 0o077).toBe(0);
  });

  it('refuses to be started twice, in one line, and leaves the first as it is', async () => {
    const before = await muster.processes();
    const second = await start(['dev'], { state });
    expect(await second.exited).toBe(1);
    expect(second.stderr).toMatch(/^error: A stack is already running in \S+ \(pid \d+\): .*\n$/);
    expect(await muster.processes()).toEqual(before);
    await expect(api.listRuns()).resolves.toBeDefined();
  });

  it('starts a part again that was killed, and says which one and why', async () => {
    await api.addComputation({ body: COMPUTATION });
    await api.putConsortium({ path: { consortiumId: 'kept' }, body: CONSORTIUM });
    const { pid } = await muster.process('api');
    process.kill(pid, 'SIGKILL');
    await muster.says(/api ended \(SIGKILL.*starting it again in 200 ms\n[^]*api is up again/);
    expect((await muster.process('api')).pid).not.toBe(pid);
    await expect(api.getConsortium({ path: { consortiumId: 'kept' } })).resolves.toMatchObject({
      name: 'Kept',
    });
  });

  it('ends what it left when it was killed itself, and goes on with the same data and secrets', async () => {
    const before = await muster.processes();
    const { supervisor } = JSON.parse(await readFile(join(state, 'stack.json'), 'utf8')) as {
      supervisor: { pid: number };
    };
    process.kill(supervisor.pid, 'SIGKILL');
    await muster.exited;
    for (const { pid } of before) expect(await identify(pid)).toBeDefined();

    muster = await start(['dev'], { state });
    const again = await apiOf(muster);
    for (const { name, pid } of before) {
      expect(muster.stdout).toContain(
        `Ended ${name} (pid ${pid}), which a stack that was killed had left behind\n`,
      );
      expect(await identify(pid)).toBeUndefined();
    }
    await expect(again.getConsortium({ path: { consortiumId: 'kept' } })).resolves.toMatchObject({
      name: 'Kept',
    });
    // The token of before is still good, at the same port.
    await expect(api.listRuns()).resolves.toBeDefined();
  });

  it('stops everything on Ctrl-C and leaves no process', async () => {
    muster.interrupt();
    expect(await muster.exited).toBe(0);
    expect(await muster.leftovers()).toEqual([]);
    expect(await muster.processes()).toEqual([]);
  });
});

it('leaves no process when Ctrl-C comes while it is starting', async () => {
  const muster = await start(['dev']);
  await muster.process('api');
  muster.interrupt();
  expect(await muster.exited).toBe(130);
  expect(await muster.leftovers()).toEqual([]);
});

describe('with servers that run already', () => {
  const certificates = useFolder();
  const env = {
    TEMPORAL_ADDRESS: process.env.MUSTER_TEST_TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE: `dev-${process.pid}`,
    MINIO_ENDPOINT: process.env.MUSTER_TEST_MINIO_ENDPOINT,
    MINIO_ACCESS_KEY: process.env.MUSTER_TEST_MINIO_ACCESS_KEY,
    MINIO_SECRET_KEY: process.env.MUSTER_TEST_MINIO_SECRET_KEY,
    MINIO_BUCKET: `dev-${process.pid}`,
  };

  it('uses them, starts only the rest, and ends at once on the second Ctrl-C', async () => {
    const muster = await start(['dev'], { env });
    const api = await apiOf(muster);
    const names = (await muster.processes()).map(({ name }) => name);
    expect(names.sort()).toEqual(['api', 'central-worker', 'gateway']);
    await expect(api.listRuns()).resolves.toEqual({ runs: [] });
    muster.interrupt();
    await muster.says(/Ctrl-C again/);
    muster.interrupt();
    expect([0, 130]).toContain(await muster.exited);
    expect(await muster.leftovers()).toEqual([]);
  });

  it('says what is missing, as a wrong use', async () => {
    const muster = await start(['dev'], { env: { ...env, MINIO_SECRET_KEY: undefined } });
    expect(await muster.exited).toBe(2);
    expect(muster.stderr).toBe(
      'error: MINIO_ENDPOINT is set: set MINIO_ACCESS_KEY and MINIO_SECRET_KEY too.\n',
    );
  });

  it('reaches Temporal by TLS where files for it are named, and not without', async () => {
    const authority = await createTestAuthority();
    const own = await authority.issue({ subject: [{ CN: ['dev'] }] });
    const files = { 'ca.crt': authority.cert, 'own.crt': own.cert, 'own.key': own.key };
    const at = (name: string) => join(certificates, name);
    for (const [name, pem] of Object.entries(files)) await writeFile(at(name), pem);
    const front = await startTlsFront(
      process.env.MUSTER_TEST_TEMPORAL_ADDRESS ?? '',
      await authority.issueServer(),
      authority.cert,
    );
    const tls = { TEMPORAL_TLS_CA: at('ca.crt'), TEMPORAL_TLS_CERT: at('own.crt') };
    const byTls = { ...env, TEMPORAL_ADDRESS: front.address, ...tls };
    const muster = await start(['dev'], { env: { ...byTls, TEMPORAL_TLS_KEY: at('own.key') } });
    await expect((await apiOf(muster)).listRuns()).resolves.toEqual({ runs: [] });
    // The stack itself, the API, the gateway and both connections of the central worker.
    expect(front.shown.length).toBeGreaterThanOrEqual(4);
    muster.interrupt();
    expect(await muster.exited).toBe(0);
    const half = await start(['dev'], { env: byTls });
    expect(await half.exited).toBe(2);
    expect(half.stderr).toMatch(/^error: TEMPORAL_TLS_KEY is not set, and TEMPORAL_TLS_CERT is: [^\n]+\n$/);
    await front.close();
  });

  it('says that Temporal does not answer', async () => {
    const muster = await start(['dev'], { env: { ...env, TEMPORAL_ADDRESS: '127.0.0.1:9' } });
    expect(await muster.exited).toBe(1);
    expect(muster.stderr).toBe('error: Temporal at 127.0.0.1:9 does not answer.\n');
    expect(await muster.leftovers()).toEqual([]);
  });
});
