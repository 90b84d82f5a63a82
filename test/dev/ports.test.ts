import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, isFree } from '../../dev/ports';

const LOOPBACK = '127.0.0.1';
const BUILT = join(__dirname, '../../dist/dev/ports.js');

it('takes the preferred port when it is free, and another when it is not', async () => {
  const preferred = await freePort([LOOPBACK]);
  await expect(freePort([LOOPBACK], [preferred])).resolves.toBe(preferred);
  const server = createServer().listen(preferred, LOOPBACK);
  await once(server, 'listening');
  const other = await freePort([LOOPBACK], [preferred]);
  expect(other).not.toBe(preferred);
  await expect(isFree([LOOPBACK], other)).resolves.toBe(true);
  server.close();
});

it('takes only a port that is free on every address', async () => {
  const server = createServer().listen(0, '127.0.0.2');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await expect(isFree([LOOPBACK], port)).resolves.toBe(true);
  await expect(freePort([LOOPBACK, '127.0.0.2'], [port])).resolves.not.toBe(port);
  server.close();
});

it('gives a port to one process only, until that process has ended', async () => {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await promisify(server.close.bind(server))();
  const script = `require(${JSON.stringify(BUILT)}).freePort(['${LOOPBACK}'], [${port}]).then(console.log); setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [said] = (await once(other.stdout, 'data')) as [Buffer];
    expect(Number(said.toString())).toBe(port);
    await expect(freePort([LOOPBACK], [port])).resolves.not.toBe(port);
  } finally {
    other.kill('SIGKILL');
    await once(other, 'exit');
  }
  await expect(freePort([LOOPBACK], [port])).resolves.toBe(port);
});
