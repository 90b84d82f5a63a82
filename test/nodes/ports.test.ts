import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPortLedger } from '../../nodes/ports';

const range = { first: 28110, last: 28114 };
const launch = (n: number) => ({ runId: 'ports-run', launchId: `launch${String(n).padStart(6, '0')}` });

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-ports-'));
  file = join(folder, 'state', 'ports.json');
});
afterEach(() => rm(folder, { recursive: true }));

const open = () => createPortLedger({ file, range });

function listen(port: number, host?: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen({ port, ...(host !== undefined && { host }) }, () => resolve(server));
  });
}

test('a launch gets as many ports as it asks for, from the range', async () => {
  const ports = await open().reserve(launch(1), 3);
  expect(new Set(ports).size).toBe(3);
  expect(ports.every((port) => port >= range.first && port <= range.last)).toBe(true);
});

test('a launch that asks again gets the same ports, also from a restarted worker', async () => {
  const ports = await open().reserve(launch(1), 2);
  expect(await open().reserve(launch(1), 2)).toEqual(ports);
  expect(await open().list()).toEqual([{ ...launch(1), ports }]);
});

test('no port is handed to two launches, even when all ask at once', async () => {
  const ledger = open();
  const ports = await Promise.all([1, 2, 3, 4, 5].map((n) => ledger.reserve(launch(n), 1)));
  expect(new Set(ports.flat()).size).toBe(5);
});

test('a port on which something else listens is passed over', async () => {
  const servers = [await listen(range.first), await listen(range.first + 1, '127.0.0.1')];
  try {
    expect(await open().reserve(launch(1), 3)).toEqual([28112, 28113, 28114]);
  } finally {
    for (const server of servers) server.close();
  }
});

test('when no ports are left, the failure says so and nothing is reserved', async () => {
  const ledger = open();
  await ledger.reserve(launch(1), 4);
  await expect(ledger.reserve(launch(2), 2)).rejects.toMatchObject({
    type: 'PortsExhausted',
    nonRetryable: false,
    message: expect.stringContaining('between 28110 and 28114') as string,
  });
  expect((await ledger.list()).map(({ launchId }) => launchId)).toEqual([launch(1).launchId]);
});

test('released ports are handed out again, and the one that rested longest comes first', async () => {
  const ledger = open();
  const first = await ledger.reserve(launch(1), 2);
  await ledger.release(launch(1));
  await ledger.release(launch(1));
  expect(await ledger.list()).toEqual([]);
  const later = await ledger.reserve(launch(2), 3);
  expect(later.filter((port) => first.includes(port))).toEqual([]);
  expect(await ledger.reserve(launch(3), 2)).toEqual(first);
});

test('the ledger is private, and no draft of it stays behind', async () => {
  await open().reserve(launch(1), 1);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'state'))).toEqual(['ports.json']);
});

test('a damaged ledger is named and left as it is', async () => {
  await open().reserve(launch(1), 1);
  await writeFile(file, '{"reservations":');
  await expect(open().reserve(launch(2), 1)).rejects.toThrow(`The port ledger ${file} is damaged.`);
});
