import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { openDatabase } from '../../server/db/client';
import { claimFolder } from '../../server/db/data-folder';
import { consortia } from '../../server/db/schema';
import { ConsortiumBody } from '../../workflows/api-contract';
import { useFolder } from '../support/folder';
import {
  describeOnEachDatabase,
  describeOnPostgres,
  newDatabase,
  silent,
  type NewDatabase,
} from './databases';
import { consortiumDraft } from './scenes';
import { callOn, problemOf, useServer } from './server';

describeOnEachDatabase('the database', (kind) => {
  let made: NewDatabase;
  beforeAll(async () => {
    made = await newDatabase(kind);
  });
  afterAll(() => made.remove());

  it('has what was written when it is opened again', async () => {
    const { sites: _sites, ...body } = ConsortiumBody.parse(consortiumDraft());
    const first = await openDatabase(made.config, silent);
    await first.db.insert(consortia).values({ id: 'kept', body });
    await first.close();
    const second = await openDatabase(made.config, silent);
    expect(await second.db.select().from(consortia)).toEqual([
      { id: 'kept', body, revision: 1, archivedAt: null },
    ]);
    await second.close();
  });
});

describeOnPostgres('a Postgres server', () => {
  const server = useServer('postgres');

  it('is brought up to date once by servers that start together', async () => {
    const made = await newDatabase('postgres');
    const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase(made.config, silent)));
    expect(await opened[0]!.db.select().from(consortia)).toEqual([]);
    await Promise.all(opened.map((database) => database.close()));
    await made.remove();
  });

  it('is named when it goes away, and used again when it is back', async () => {
    const made = await newDatabase('postgres');
    const way = new WayTo(urlOf(made));
    await way.open();
    const database = await openDatabase({ url: way.url }, silent);
    const replica = await server.startReplica({ db: database.db });
    const ask = () => callOn(replica, 'GET /api/runs');
    expect((await ask()).statusCode).toBe(200);
    await way.close();
    for (let times = 0; times < 3; times += 1)
      expect(problemOf(await ask())).toMatchObject({
        status: 503,
        type: 'urn:muster:problem:database-unreachable',
      });
    await way.open();
    expect((await ask()).statusCode).toBe(200);
    await database.close();
    await way.close();
    await made.remove();
  });
});

const urlOf = ({ config }: NewDatabase) => new URL('url' in config ? config.url : '');

/** A way to a server that can be closed, whatever goes over it. */
class WayTo {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private port = 0;

  constructor(private readonly target: URL) {}

  get url(): string {
    return Object.assign(new URL(this.target.href), { host: `127.0.0.1:${this.port}` }).href;
  }

  async open(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(Number(this.target.port || 5432), this.target.hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(from);
        from.on('error', () => undefined).on('close', () => to.destroy());
        from.pipe(to);
      }
    }).listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server?.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
    await closed;
  }
}

describe('the claim on a data folder', () => {
  const folder = useFolder();
  const claims = join(folder, 'claims');

  it('is taken, and given back', () => {
    const claim = claimFolder(folder);
    expect(readdirSync(claims)).toEqual([expect.stringMatching(new RegExp(`^${process.pid}\\.`))]);
    claim.release();
    expect(readdirSync(claims)).toEqual([]);
  });

  it.each([
    ['of a process that is gone', '4194304.1'],
    ['of an earlier process with the same pid', `${process.ppid}.1`],
  ])('is not held up by one %s', (_whose, left) => {
    mkdirSync(claims, { recursive: true });
    writeFileSync(join(claims, left), '');
    claimFolder(folder).release();
    expect(existsSync(join(claims, left))).toBe(false);
  });
});
