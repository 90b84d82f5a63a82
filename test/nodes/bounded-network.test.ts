/** Nodes that reach some endpoints and nothing else: what they reach, and what is left of them. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { BoundedNetworks, whyNotBounded } from '../../nodes/bounded-network';
import { Containers } from '../../nodes/containers';
import { createDockerRuntime } from '../../nodes/docker';
import { connectEngine } from '../../nodes/engine';
import { hostIdOf } from '../../nodes/host-id';
import { ensureImage } from '../../nodes/image';
import type { NodeRuntime, NodeSpec } from '../../nodes/node-runtime';
import { relayable } from '../../nodes/relay';
import { until } from '../support/until';
import { describeWithEngine } from './needs-engine';
import { Bench, left, never, output, startFromWorkerThatDies } from './support';

const engine = connectEngine();
const HOST = 'host.docker.internal';
const STAY = 'setInterval(() => {}, 1000);';
/** Tries each of `targets`, and writes down what each of them said. */
const TRY = (targets: readonly (readonly [string, number])[]) => `
  const net = require('net');
  const says = ([host, port]) => new Promise((done) => {
    const socket = net.connect(port, host);
    socket.on('data', (data) => done(String(data)));
    socket.on('error', ({ code }) => done(code)).on('close', () => done('closed'));
  });
  Promise.all(${JSON.stringify(targets)}.map(says)).then((said) => {
    fs.writeFileSync('/workspace/output/said.tmp', JSON.stringify(said));
    fs.renameSync('/workspace/output/said.tmp', '/workspace/output/said');
    process.exit();
  });`;

describe('the endpoints that a relay stands for', () => {
  test('each is there once, and several hosts are so by different ports', () => {
    const [a, b] = [
      { host: 'a.example.org', port: 20000 },
      { host: 'b.example.org', port: 443 },
    ];
    expect(relayable([a, b, a])).toEqual([a, b]);
  });

  test.each([
    [[{ host: '10.0.0.5', port: 1 }], '10.0.0.5 is an address'],
    [[{ host: '[::1]', port: 1 }], '[::1] is an address'],
    [[{ host: 'evil\nhost', port: 1 }], 'is not the name of a host'],
    [[{ host: 'a:b', port: 1 }], 'is not the name of a host'],
    [[{ host: '', port: 1 }], 'is not the name of a host'],
    [
      [
        { host: 'a', port: 443 },
        { host: 'b', port: 443 },
      ],
      'a and b have the same port, 443',
    ],
  ])('%j are none', (endpoints, words) => {
    expect(() => relayable(endpoints)).toThrow(
      expect.objectContaining({
        type: 'ReachNotBounded',
        message: expect.stringContaining(words) as string,
      }) as Error,
    );
  });
});

describe('an engine', () => {
  test.each([
    [{ Os: 'linux', ApiVersion: '1.41' }, undefined],
    [{ Os: 'linux', ApiVersion: '1.50', Components: [{ Name: 'Engine' }] }, undefined],
    [{ Os: 'linux', ApiVersion: '1.40' }, 'older than Docker 20.10'],
    [{ Os: 'linux', ApiVersion: '1.9' }, 'older than Docker 20.10'],
    [{ Os: 'windows', ApiVersion: '1.50' }, 'one for windows'],
    [{ Os: 'linux', ApiVersion: '1.41', Components: [{ Name: 'Podman Engine' }] }, 'is Podman'],
  ])('%j', async (version, words) => {
    const stub = connectEngine();
    jest.spyOn(stub, 'version').mockResolvedValue(version as never);
    const why = await whyNotBounded(stub);
    if (words === undefined) expect(why).toBeUndefined();
    else expect(why).toContain(words);
  });
});

describeWithEngine('a node that reaches some endpoints and nothing else', () => {
  let image: string;
  let bench: Bench;
  let runtime: NodeRuntime;
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  beforeAll(async () => {
    image = await ensureImage({ engine, image: 'muster/test-node:1', folder: resolve('test/nodes/image') });
  }, 300_000);
  beforeEach(async () => {
    bench = await Bench.open({ image });
    runtime = createDockerRuntime({ engine, stateDir: bench.stateDir });
  });
  afterEach(async () => {
    await bench.close(runtime);
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  /** A server of this host, at every address that it has. */
  async function listen(serve: (socket: Socket) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      serve(socket);
    }).listen(0, '0.0.0.0');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
  const saying = (word: string) => listen((socket) => socket.end(word));

  const said = async (spec: NodeSpec) => z.array(z.string()).parse(JSON.parse(await left(spec, 'said')));
  const networkOf = async (id: string) => {
    const { NetworkSettings } = await engine.getContainer(id).inspect();
    const [network] = Object.values(NetworkSettings.Networks);
    return network!;
  };
  const remains = async ({ runId }: { runId: string }) => {
    const filters = { label: [`io.muster.run=${runId}`] };
    const [containers, networks] = await Promise.all([
      engine.listContainers({ all: true, filters }),
      engine.listNetworks({ filters }),
    ]);
    return [...containers.map(({ Names }) => Names[0]!.slice(1)), ...networks.map(({ Name }) => Name)].sort();
  };

  test('it reaches the federation endpoint and the place for reports, and nothing else', async () => {
    const [federation, reports, other] = [
      await saying('federation'),
      await saying('reports'),
      await saying('no'),
    ];
    const outside = await engine.createNetwork({ Name: `${bench.runId}-outside`, Driver: 'bridge' });
    const listener = await engine.createContainer({
      Image: image,
      Cmd: [
        'node',
        '-e',
        `require('net').createServer((s) => s.on('error', () => {}).end('no')).listen(5000)`,
      ],
      HostConfig: { NetworkMode: outside.id },
    });
    try {
      await listener.start();
      const elsewhere = await networkOf(listener.id);
      const neighbour = await bench.node(
        `require('net').createServer((s) => s.on('error', () => {}).end('no')).listen(5000)`,
        { node: 'dream', reach: [{ host: HOST, port: federation }] },
      );
      const beside = await networkOf((await runtime.ensure(neighbour)).id);
      const reach = [
        { host: HOST, port: federation },
        { host: HOST, port: reports },
      ];
      const ofThisHost = Object.values(networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .filter(({ family, internal }) => family === 'IPv4' && !internal)
        .map(({ address }): [string, number] => [address, federation]);
      const spec = await bench.node(
        TRY([
          [HOST, federation],
          [HOST, reports],
          [HOST, other],
          [elsewhere.Gateway, other],
          [elsewhere.Gateway, federation],
          [elsewhere.IPAddress, 5000],
          [beside.IPAddress, 5000],
          ...ofThisHost,
          ['192.0.2.1', 80],
          ['example.org', 80],
          [`muster-${bench.runId}-dream-${(await hostIdOf(bench.stateDir)).slice(0, 8)}`, 5000],
        ]),
        { reach },
      );
      await runtime.ensure(spec);
      const [first, second, closed, ...refused] = await said(spec);
      expect([first, second, closed]).toEqual(['federation', 'reports', 'ECONNREFUSED']);
      expect(refused.slice(-2)).toEqual(['ENOTFOUND', 'ENOTFOUND']);
      expect(new Set(refused.slice(0, -2))).toEqual(new Set(['EHOSTUNREACH']));
    } finally {
      await listener.remove({ force: true });
      await outside.remove();
    }
  });

  test('what is sent arrives as it was, in both directions, and so does the end of it', async () => {
    const port = await listen((socket) => void socket.pipe(socket));
    const spec = await bench.node(
      `const sent = require('crypto').randomBytes(8 * 2 ** 20);
       const socket = require('net').connect({ host: '${HOST}', port: ${port}, allowHalfOpen: true });
       const got = [];
       socket.on('data', (data) => got.push(data)).on('end', () => process.exit(Buffer.concat(got).equals(sent) ? 42 : 1));
       socket.end(sent);`,
      { reach: [{ host: HOST, port }] },
    );
    await runtime.ensure(spec);
    expect(await runtime.wait(spec, never)).toMatchObject({ exitCode: 42 });
  });

  test('with nothing to reach it has no network', async () => {
    const spec = await bench.node(
      `fs.writeFileSync('/workspace/output/links', Object.keys(require('os').networkInterfaces()).join())`,
      { reach: [] },
    );
    await runtime.ensure(spec);
    expect(await runtime.wait(spec, never)).toMatchObject({ exitCode: 0 });
    expect(await output(spec, 'links')).toBe('lo');
    expect(await remains(spec)).toHaveLength(1);
  });

  test('nodes of several launches and hosts are side by side, and all that belongs to one goes with it', async () => {
    const port = await saying('yes');
    const reach = [{ host: HOST, port }];
    const others = createDockerRuntime({ engine, stateDir: `${bench.root}/other-state` });
    const own = await bench.node(TRY([[HOST, port]]), { reach });
    const theirs = { ...(await bench.node(STAY, { reach })), launchId: 'otherlaunch1' };
    const later = await bench.node(STAY, { runId: `${bench.runId}-2`, node: 'dream', reach });
    await Promise.all([runtime.ensure(own), others.ensure(theirs), runtime.ensure(later)]);
    expect(await said(own)).toEqual(['yes']);
    expect(await remains(own)).toHaveLength(6);
    await others.remove(theirs);
    expect(await runtime.inspect(later)).toMatchObject({ state: 'running' });
    expect(await remains(own)).toHaveLength(3);
    await runtime.remove(own);
    expect(await remains(own)).toEqual([]);
    await runtime.remove(later);
    expect(await remains(later)).toEqual([]);
  });

  test('it is started once, though two workers ask for it five times each at the same moment', async () => {
    const spec = await bench.node(STAY, { reach: [{ host: HOST, port: 1 }] });
    const other = createDockerRuntime({ engine: connectEngine(), stateDir: bench.stateDir });
    const nodes = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? runtime : other).ensure(spec)),
    );
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(1);
    expect(await remains(spec)).toHaveLength(3);
  });

  test('its connection outlives the worker that started it', async () => {
    const connected: Socket[] = [];
    const port = await listen((socket) => void connected.push(socket));
    const spec = await bench.node(
      `const socket = require('net').connect(${port}, '${HOST}');
       socket.on('data', (data) => { socket.write('got ' + data); if (String(data) === 'end') process.exit(7); });
       socket.on('close', () => process.exit(1)); socket.write('here');`,
      { reach: [{ host: HOST, port }] },
    );
    const id = await startFromWorkerThatDies('docker', bench, spec);
    const socket = await until(() => connected[0]);
    expect(await runtime.ensure(spec)).toMatchObject({ state: 'running', id });
    socket.write('end');
    expect(await runtime.wait(spec, never)).toMatchObject({ id, exitCode: 7 });
    expect(connected).toHaveLength(1);
  });

  test('a relay that dies comes back, and the node sees that its connection broke', async () => {
    const port = await listen((socket) => void socket.write('yes'));
    const spec = await bench.node(
      `const connect = () => require('net').connect(${port}, '${HOST}').on('error', () => {});
       const again = () => connect().on('data', () => process.exit(42));
       connect().on('data', () => fs.writeFileSync('/workspace/output/connected', ''))
         .on('close', () => setInterval(again, 50));`,
      { reach: [{ host: HOST, port }] },
    );
    await runtime.ensure(spec);
    await left(spec, 'connected');
    const relay = engine.getContainer((await remains(spec)).find((name) => name.endsWith('-relay'))!);
    const exec = await relay.exec({ Cmd: ['node', '-e', `process.kill(-1, 'SIGKILL')`] });
    (await exec.start({})).resume();
    expect(await runtime.wait(spec, never)).toMatchObject({ exitCode: 42 });
  });

  test('its relay has no privileges either', async () => {
    const spec = await bench.node(STAY, { reach: [{ host: HOST, port: 1 }] });
    await runtime.ensure(spec);
    const name = (await remains(spec)).find((name) => name.endsWith('-relay'))!;
    const { Config, HostConfig } = await engine.getContainer(name).inspect();
    expect(Config).toMatchObject({
      User: '65534:65534',
      Labels: { 'io.muster.launch': bench.launchId, 'io.muster.node': 'biscoe' },
    });
    expect(HostConfig).toMatchObject({
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      IpcMode: 'private',
      Init: true,
      Memory: 128 * 2 ** 20,
      PidsLimit: 32,
      RestartPolicy: { Name: 'on-failure' },
    });
    expect(HostConfig.Binds ?? []).toEqual([]);
  });

  test('a new launch replaces the node with its network', async () => {
    const old = await bench.node(STAY, { reach: [{ host: HOST, port: 1 }] });
    await runtime.ensure(old);
    const fresh = { ...old, launchId: 'freshlaunch1' };
    expect(await runtime.ensure(fresh)).toMatchObject({ state: 'running' });
    expect(await runtime.list()).toEqual([{ runId: bench.runId, launchId: 'freshlaunch1', node: 'biscoe' }]);
    expect(await remains(old)).toHaveLength(3);
  });

  test('nothing is left of a node that could not be started', async () => {
    const reach = [{ host: HOST, port: 1 }];
    const [nowhere, literal] = [
      await bench.node(STAY, { reach, image: 'muster/no-such-image:1' }),
      await bench.node(STAY, { reach: [{ host: '192.0.2.1', port: 1 }] }),
    ];
    await expect(runtime.ensure(nowhere)).rejects.toMatchObject({ type: 'ImageMissing' });
    await expect(runtime.ensure(literal)).rejects.toMatchObject({ type: 'ReachNotBounded' });
    expect(await remains(nowhere)).toEqual([]);
  });

  test('what a worker left that died half-way is found, and made anew or removed', async () => {
    const spec = await bench.node(STAY, { reach: [{ host: HOST, port: 1 }] });
    const host = await hostIdOf(bench.stateDir);
    const halfWay = new BoundedNetworks(engine, new Containers(engine));
    await halfWay.open(spec, host, spec.reach!);
    expect(await runtime.inspect(spec)).toEqual({ state: 'absent' });
    expect((await runtime.list()).map(({ node }) => node)).toEqual(['biscoe']);
    const now = Date.now;
    const later = jest.spyOn(Date, 'now').mockImplementation(() => now() + 60_000);
    expect(await runtime.ensure(spec)).toMatchObject({ state: 'running' });
    later.mockRestore();
    expect(await remains(spec)).toHaveLength(3);
    // The network alone is enough to find it by.
    for (const name of (await remains(spec)).slice(1))
      await engine
        .getContainer(name)
        .remove({ force: true })
        .catch(() => undefined);
    expect((await runtime.list()).map(({ node }) => node)).toEqual(['biscoe']);
    await runtime.remove(spec);
    expect(await remains(spec)).toEqual([]);
    expect(await runtime.list()).toEqual([]);
  });
});
