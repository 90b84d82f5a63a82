import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createPortLedger, findTaken } from '../../nodes/ports';
import { bundled } from './support';

const range = { first: 28110, last: 28114 };
const launch = (n: number) => ({ runId: 'ports-run', launchId: `launch${String(n).padStart(6, '0')}` });

let folder: string;
let file: string;
let claims: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-ports-'));
  file = join(folder, 'state', 'ports.json');
  claims = join(folder, 'claims');
});
afterEach(() => rm(folder, { recursive: true }));

const open = () => createPortLedger({ file, range, claims });
const another = (name: string) => createPortLedger({ file: join(folder, name, 'ports.json'), range, claims });

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

test('the ports of one launch become those of another, once', async () => {
  const ledger = open();
  const ports = await ledger.reserve(launch(1), 2);
  expect(await ledger.handOn(launch(1), launch(2))).toEqual(ports);
  expect(await open().handOn(launch(1), launch(2))).toEqual(ports);
  await ledger.release(launch(1));
  expect(await ledger.list()).toEqual([{ ...launch(2), ports }]);
  expect(await ledger.reserve(launch(2), 2)).toEqual(ports);
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

describe('workers that share a machine', () => {
  test('none is given a port that another has promised, though nothing listens on it yet', async () => {
    const [one, two] = [another('one'), another('two')];
    const theirs = await one.reserve(launch(1), 2);
    const ours = await two.reserve(launch(2), 3);
    expect(ours.filter((port) => theirs.includes(port))).toEqual([]);
    await expect(two.reserve(launch(3), 1)).rejects.toMatchObject({ type: 'PortsExhausted' });
    await one.release(launch(1));
    expect((await two.reserve(launch(3), 2)).sort()).toEqual(theirs.sort());
  });

  test('a failed reservation claims nothing', async () => {
    const [one, two] = [another('one'), another('two')];
    await one.reserve(launch(1), 3);
    await expect(two.reserve(launch(2), 3)).rejects.toMatchObject({ type: 'PortsExhausted' });
    expect(await one.reserve(launch(3), 2)).toHaveLength(2);
  });

  test('the claims of a worker whose state is gone end, but not at once', async () => {
    await another('gone').reserve(launch(1), 5);
    await rm(join(folder, 'gone'), { recursive: true });
    await expect(open().reserve(launch(2), 1)).rejects.toMatchObject({ type: 'PortsExhausted' });
    const longAgo = Date.now() / 1000 - 120;
    for (const name of await readdir(claims)) await utimes(join(claims, name), longAgo, longAgo);
    expect(await open().reserve(launch(2), 5)).toHaveLength(5);
  });

  test('an old claim that its ledger stands by stays', async () => {
    await another('old').reserve(launch(1), 5);
    const longAgo = Date.now() / 1000 - 120;
    for (const name of await readdir(claims)) await utimes(join(claims, name), longAgo, longAgo);
    await expect(open().reserve(launch(2), 1)).rejects.toMatchObject({ type: 'PortsExhausted' });
  });

  test('a worker that died before it wrote down what it had claimed gets it again', async () => {
    await open().reserve(launch(1), 5);
    await rm(file);
    expect(await open().reserve(launch(1), 5)).toHaveLength(5);
  });

  test('two hundred launches of four workers never collide, on no more ports than they need', async () => {
    const many = { first: 28_200, last: 28_399 };
    const program = await bundled('port-taker.ts');
    const round = async () => {
      const workers = [0, 1, 2, 3].map((n) => {
        const launches = Array.from({ length: 50 }, (_, i) => launch(n * 50 + i).launchId);
        const order = {
          file: join(folder, `worker-${n}`, 'ports.json'),
          range: many,
          claims,
          launches,
          portsEach: 1,
        };
        return startTaker(program, order);
      });
      const taken = (await Promise.all(workers.map(({ ports }) => ports))).flat(2);
      expect(new Set(taken).size).toBe(200);
      await Promise.all(workers.map(({ end }) => end()));
    };
    await round();
    expect(await readdir(claims)).toEqual([]);
    await round();
  });
});

test('a port that is taken meanwhile is found without standing in the way of whoever wants it', async () => {
  expect(await findTaken([range.first, range.last])).toBeUndefined();
  const server = await listen(range.last);
  expect(await findTaken([range.first, range.last])).toBe(range.last);
  server.close();
});

/** A worker process; `ports` are those of each of its launches, all listened on. */
function startTaker(program: string, order: object) {
  const script = spawn(process.execPath, ['-e', program, JSON.stringify(order)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(script, 'exit');
  const line = once(createInterface(script.stdout), 'line');
  const ports = Promise.race([
    line.then(([text]) => JSON.parse(text as string) as number[][]),
    exited.then(([code]) => Promise.reject(new Error(`a worker ended with ${String(code)}`))),
  ]);
  const end = async () => {
    script.stdin.write('end\n');
    expect(await exited).toEqual([0, null]);
  };
  return { ports, end };
}
