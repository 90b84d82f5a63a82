import getPort from 'get-port';
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createMusterApi, type MusterApi } from '../../client';
import { createCentralApi } from '../../client/central-api';
import { followRun } from '../../client/events';
import { newSiteKey } from '../../client/site-key';
import { createTransport } from '../../client/site-transport';
import { TEST_KEYS_TEXT } from '../support/sealed';
import { createTestAuthority } from '../support/certificates';
import { useFolder } from '../support/folder';
import { testObjectStoreEnv } from '../support/object-store';
import { useTemporal } from '../support/temporal';
import { AuditPage } from '../../workflows/audit-contract';
import { newDatabase } from './databases';
import { COMPUTATION, consortiumDraft } from './scenes';
import { admin, central, SECRET, tokenFor } from './server';
import { runView, statusReport } from './views';

const MAIN = join(__dirname, '../../dist/server/main.js');

/** The built server as a process. */
class ServerProcess {
  output = '';
  readonly exited: Promise<number | NodeJS.Signals>;
  private readonly child: ChildProcess;
  private readonly spoke = new EventEmitter();

  constructor(env: Record<string, string>) {
    this.child = spawn(process.execPath, [MAIN], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.spoke.emit('more');
      });
    this.exited = once(this.child, 'close').then(
      ([code, signal]) => (code as number | null) ?? (signal as NodeJS.Signals),
    );
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves when it says that it is ready. */
  async ready(): Promise<this> {
    while (!this.output.includes('"msg":"ready"')) {
      const next = await Promise.race([this.exited.then(() => 'ended'), once(this.spoke, 'more')]);
      if (next === 'ended') throw new Error(`The server ended:\n${this.output}`);
    }
    return this;
  }

  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.child.kill(signal);
    return this.exited;
  }
}

describe('the central API as a process', () => {
  const temporal = useTemporal();
  let folder: string;
  const keys = useFolder();
  const started: ServerProcess[] = [];
  let port: number;
  let api: MusterApi;

  const env = (more: Record<string, string> = {}) => ({
    ...testObjectStoreEnv('muster-process-test'),
    MUSTER_API_PORT: String(port),
    MUSTER_API_SECRET: SECRET,
    MUSTER_PAYLOAD_KEYS: TEST_KEYS_TEXT,
    MUSTER_DATA_DIR: folder,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    ...more,
  });
  function launch(more: Record<string, string> = {}): ServerProcess {
    const server = new ServerProcess(env(more));
    started.push(server);
    return server;
  }

  beforeAll(async () => {
    const { config, remove } = await newDatabase('embedded');
    temporal.onClose(remove);
    folder = 'folder' in config ? config.folder : '';
    port = await getPort({ host: '127.0.0.1' });
    api = createMusterApi({ url: `http://127.0.0.1:${port}`, token: await tokenFor(admin) });
  });
  afterEach(() => Promise.all(started.splice(0).map((server) => server.end('SIGKILL'))));

  it('has everything that it accepted after it was killed in the middle of its work', async () => {
    const server = await launch().ready();
    await api.addComputation({ body: COMPUTATION });
    await api.putConsortium({ path: { consortiumId: 'penguins' }, body: consortiumDraft() });
    const { runId } = await api.startRun({
      path: { consortiumId: 'penguins' },
      headers: { 'idempotency-key': 'a-key' },
    });
    const worker = createCentralApi({ url: `http://127.0.0.1:${port}`, token: await tokenFor(central) });
    let accepted = 0;
    const reporting = (async () => {
      for (let at = 1; ; at += 1) {
        await worker.reportStatusCentral(
          runId,
          statusReport(runView(runId, 'running', { since: at }), [], { at }),
        );
        accepted = at;
        if (at === 20) void server.end('SIGKILL');
      }
    })();
    await expect(reporting).rejects.toThrow('No answer from the central API');
    expect(await server.exited).toBe('SIGKILL');

    await launch().ready();
    const { run, lastEventId } = await api.getRun({ path: { runId } });
    expect(accepted).toBeGreaterThanOrEqual(20);
    expect(run.since).toBeGreaterThanOrEqual(accepted);
    expect(lastEventId).toBeGreaterThan(accepted);
    expect(
      (await api.startRun({ path: { consortiumId: 'penguins' }, headers: { 'idempotency-key': 'a-key' } }))
        .runId,
    ).toBe(runId);
  });

  it('prints a link for the first admin as long as there is none, and not where it is told not to', async () => {
    const linkOf = ({ output }: ServerProcess) => /becomes one: http\S+\/invitation#(\S+)/.exec(output)?.[1];
    const ask = (path: string, body: object) =>
      fetch(`http://127.0.0.1:${port}/api/invitations/${path}`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
      });
    const first = await launch().ready();
    const outdated = linkOf(first);
    await first.end('SIGTERM');
    const silent = await launch({ MUSTER_ADMIN_LINK: 'off' }).ready();
    expect(linkOf(silent)).toBeUndefined();
    await silent.end('SIGTERM');
    const second = await launch().ready();
    const code = linkOf(second);
    expect((await ask('look', { code: outdated })).status).toBe(403);
    const body = { code, name: 'Ada', email: 'ada@example.org', password: 'the first of all' };
    expect(await (await ask('accept', body)).json()).toMatchObject({ admin: true });
    await second.end('SIGTERM');
    expect(linkOf(await launch().ready())).toBeUndefined();
  });

  it('believes only proxies that it is told of where a request comes from', async () => {
    const from = async (more: Record<string, string>) => {
      const server = await launch(more).ready();
      const headers = { authorization: `Bearer ${await tokenFor(admin)}`, 'x-forwarded-for': '192.0.2.7' };
      const url = `http://127.0.0.1:${port}/api`;
      await fetch(`${url}/codec/pass`, { method: 'POST', headers });
      const { entries } = AuditPage.parse(await (await fetch(`${url}/audit?limit=1`, { headers })).json());
      await server.end('SIGTERM');
      return entries[0]?.address;
    };
    expect(await from({})).toBe('127.0.0.1');
    expect(await from({ MUSTER_TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1' })).toBe('192.0.2.7');
  });

  it('listens on every address, keeps its data to itself, and ends in good order while people follow a run', async () => {
    const hosts = process.platform === 'linux' ? ['127.0.0.1', '127.0.0.2'] : ['127.0.0.1', '::1'];
    const server = await launch({ MUSTER_API_HOST: hosts.join(',') }).ready();
    for (const host of hosts) {
      const answer = await fetch(`http://${host.includes(':') ? `[${host}]` : host}:${port}/healthz`);
      expect([host, answer.status]).toEqual([host, 200]);
    }

    const second = launch({ MUSTER_API_PORT: String(await getPort({ host: '127.0.0.1' })) });
    expect(await second.exited).toBe(1);
    expect(second.output).toBe(
      `The data folder ${folder} is in use by process ${server.pid}: stop that server, or set MUSTER_DATA_DIR to another.\n`,
    );

    await api.addComputation({ body: COMPUTATION });
    await api.putConsortium({ path: { consortiumId: 'penguins' }, body: consortiumDraft() });
    const { runId } = await api.startRun({ path: { consortiumId: 'penguins' } });
    const left = new AbortController();
    const events = followRun(api, runId, { signal: left.signal });
    await events.next();
    expect(await server.end('SIGTERM')).toBe(0);
    left.abort();
    await events.return(undefined);
    expect(server.output).toContain('"msg":"ending"');
  });

  it('has an address for sites where it is told how they reach it, and knows them again after a restart', async () => {
    const authority = await createTestAuthority();
    const shown = { ...(await authority.issueServer()), ca: authority.cert };
    const tls = (name: keyof typeof shown) => join(keys, name);
    for (const name of ['cert', 'key', 'ca'] as const) await writeFile(tls(name), shown[name]);
    const sitePort = await getPort({ host: '127.0.0.1' });
    const url = `https://127.0.0.1:${sitePort}`;
    const sites = {
      ...{ MUSTER_SITE_API_URL: url, MUSTER_SITE_API_PORT: String(sitePort) },
      ...{
        MUSTER_SITE_TLS_CERT: tls('cert'),
        MUSTER_SITE_TLS_KEY: tls('key'),
        MUSTER_SITE_TLS_CA: tls('ca'),
      },
      MUSTER_GATEWAY_ADDRESS: 'gateway.example.org:7410',
    };
    const server = await launch(sites).ready();
    expect(server.output).toContain(url);
    const as = (more: { cert?: string; key?: string } = {}) =>
      createCentralApi({ url, fetch: createTransport(url, { ca: authority.cert, ...more }, {}).fetch });
    const { code } = await api.addSite({ body: { id: 'biscoe' } });
    const { key, csr } = await newSiteKey('biscoe');
    const { certificate: cert, instanceKey } = await as().joinSite('biscoe', { code, csr });
    expect(await server.end('SIGTERM')).toBe(0);

    await launch(sites).ready();
    const renewed = await as({ cert, key }).renewCertificate({ csr });
    expect(renewed.instanceKey).toBe(instanceKey);
    const modes = await Promise.all(
      ['site-ca/ca.key', 'signing-key/instance.key'].map((path) => stat(join(folder, path))),
    );
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o600]);

    const wrong = launch({ ...sites, MUSTER_SITE_TLS_CA: join(folder, 'site-ca/ca.crt') });
    expect(await wrong.exited).toBe(1);
    expect(wrong.output).toBe(`${folder}/site-ca/ca.crt is not what ${tls('cert')} is certified by.\n`);
  });

  it('says what is wrong with its settings, and nothing else', async () => {
    const server = launch({ MUSTER_API_SECRET: 'short', TEMPORAL_ADDRESS: 'nowhere' });
    expect(await server.exited).toBe(2);
    expect(server.output.trim().split('\n')).toEqual([
      'MUSTER_API_SECRET must have at least 32 characters: make one with `openssl rand -hex 32`',
      'TEMPORAL_ADDRESS must be host:port',
    ]);
  });

  it('says that its port is taken', async () => {
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    const server = launch();
    expect(await server.exited).toBe(1);
    expect(server.output).toContain(`address already in use 127.0.0.1:${port}\n`);
    other.close();
  });

  it('says that its database does not answer, without the password', async () => {
    const server = launch({ DATABASE_URL: 'postgres://muster:hidden@127.0.0.1:1/muster' });
    expect(await server.exited).toBe(1);
    expect(server.output).toBe('Cannot open the database at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n');
  });
});
