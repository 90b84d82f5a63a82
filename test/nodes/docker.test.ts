import Docker from 'dockerode';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import getPort from 'get-port';
import { containerName, LABEL_RUN } from '../../workflows/contract';
import { containerOf } from '../../nodes/container';
import { createDockerRuntime } from '../../nodes/docker';
import { connectEngine, engineAnswers } from '../../nodes/engine';
import { hostIdOf } from '../../nodes/host-id';
import { ensureImage } from '../../nodes/image';
import { nodeNetwork } from '../../nodes/network';
import type { NodeRuntime } from '../../nodes/node-runtime';
import { useFolder } from '../support/folder';
import { describeWithEngine } from './needs-engine';
import { itRunsNodes } from './runtime-suite';
import { Bench, give, never, output, until } from './support';

const engine = connectEngine();
const STAY = 'setInterval(() => {}, 1000);';
let image: string;

async function buildImage(): Promise<void> {
  image = await ensureImage({ engine, image: 'muster/test-node:1', folder: resolve('test/nodes/image') });
}

describeWithEngine('nodes as containers', () => {
  beforeAll(buildImage, 300_000);

  itRunsNodes({
    open: ({ stateDir }) => createDockerRuntime({ engine: connectEngine(), stateDir }),
    place: () => ({ image }),
    nowhere: { image: 'muster/no-such-image:1' },
    remains: async (id) => {
      const found = await engine.listContainers({ filters: { id: [id] } });
      return found.map(({ Id }) => Id);
    },
  });
});

describeWithEngine('the docker runtime', () => {
  beforeAll(buildImage, 300_000);

  let bench: Bench;
  let runtime: NodeRuntime;
  beforeEach(async () => {
    bench = await Bench.open({ image });
    runtime = createDockerRuntime({ engine, stateDir: bench.stateDir });
  });
  afterEach(() => bench.close(runtime));

  const look = (id: string) => engine.getContainer(id).inspect();
  const anything = async () => (await runtime.list()).filter(({ runId }) => runId === bench.runId);

  test('a node may read its data and not change them', async () => {
    const spec = await bench.node(
      `try { fs.writeFileSync('/workspace/data/new', ''); } catch ({ code }) { process.exit(code === 'EROFS' ? 30 : 1); }`,
    );
    await runtime.ensure(spec);
    expect(await runtime.wait(spec, never)).toMatchObject({ exitCode: 30 });
  });

  test('a node has no privileges, and runs as the user of the worker', async () => {
    const spec = await bench.node(
      `fs.writeFileSync('/workspace/output/status', fs.readFileSync('/proc/self/status'))`,
    );
    await runtime.ensure(spec);
    await runtime.wait(spec, never);
    const status = await output(spec, 'status');
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(new RegExp(`^Uid:\\t${process.getuid!()}\\t`, 'm'));
  });

  test('a node is held to its limits, its log is bounded, and nobody but its run starts it again', async () => {
    const spec = await bench.node(STAY, {
      resources: { cpus: 1.5, memory: '128Mi', pids: 40, shm: '32Mi', gpus: 0 },
    });
    const { id } = await runtime.ensure(spec);
    expect((await look(id)).HostConfig).toMatchObject({
      CpuQuota: 150_000,
      CpuPeriod: 100_000,
      Memory: 128 * 2 ** 20,
      MemorySwap: 128 * 2 ** 20,
      PidsLimit: 40,
      ShmSize: 32 * 2 ** 20,
      Init: true,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '128m', 'max-file': '2' } },
      RestartPolicy: { Name: 'no' },
    });
  });

  test('a limit above what the host has does not keep a node from starting', async () => {
    const spec = await bench.node('', {
      resources: { cpus: 999, memory: '256Mi', pids: 64, shm: '64Mi', gpus: 0 },
    });
    await runtime.ensure(spec);
    expect(await runtime.wait(spec, never)).toMatchObject({ exitCode: 0 });
  });

  test('a node that uses more memory than its limit is known to have died of it', async () => {
    const spec = await bench.node(`const held = []; for (;;) held.push(Buffer.alloc(2 ** 22, 1));`, {
      resources: { cpus: 1, memory: '96Mi', pids: 64, shm: '16Mi', gpus: 0 },
    });
    await runtime.ensure(spec);
    expect(await runtime.wait(spec, never)).toMatchObject({
      state: 'exited',
      exitCode: 137,
      outOfMemory: true,
    });
  });

  test('a container is named and labelled by its run, launch and node', async () => {
    const spec = await bench.node(STAY);
    const { id } = await runtime.ensure(spec);
    const { Name, Config } = await look(id);
    expect(Name).toBe(`/muster-${bench.runId}-biscoe`);
    expect(Config.Labels).toMatchObject({
      'io.muster.run': bench.runId,
      'io.muster.launch': bench.launchId,
      'io.muster.node': 'biscoe',
    });
  });

  test("an edge reaches the central node by the host's published port, and no other way", async () => {
    const port = await getPort({ port: [27500, 27501, 27502, 27503, 27504] });
    const serve = `require('net').createServer((socket) => socket.end('${bench.runId}')).listen(${port});`;
    const central = await bench.node(`${serve} ${STAY}`, { node: 'central', ports: [port] });
    const { id } = await runtime.ensure(central);
    const [network] = Object.values((await look(id)).NetworkSettings.Networks);
    // Whoever else might answer at an address does not know the run's id.
    const edge = await bench.node(
      `const reaches = (host) => new Promise((done) => {
         const socket = require('net').connect(${port}, host);
         socket.on('data', (data) => done(String(data) === '${bench.runId}'));
         socket.setTimeout(1500, () => done(false)).on('error', () => done(false)).on('close', () => done(false));
       });
       const start = async () => {
         if (!(await reaches('host.docker.internal'))) return setTimeout(start, 50);
         process.exit((await reaches('${network!.IPAddress}')) ? 1 : 42);
       };
       start();`,
    );
    await runtime.ensure(edge);
    expect(await runtime.wait(edge, never)).toMatchObject({ exitCode: 42 });
  });

  test('all nodes share one network, also when it is made by several workers at once', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => nodeNetwork(connectEngine())));
    expect(new Set(ids).size).toBe(1);
  });

  test('a taken port keeps a node from starting for now, and nothing is left of the attempt', async () => {
    const server = createServer().listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      const spec = await bench.node(STAY, { ports: [port] });
      await expect(runtime.ensure(spec)).rejects.toMatchObject({
        type: 'NodeNotStarted',
        nonRetryable: false,
        message: expect.stringContaining(String(port)) as string,
      });
      expect(await anything()).toEqual([]);
    } finally {
      server.close();
    }
  });

  test('a missing device or folder keeps a node from starting, and nothing is left of the attempt', async () => {
    const gpu = await bench.node(STAY, {
      resources: { cpus: 1, memory: '256Mi', pids: 64, shm: '64Mi', gpus: 64 },
    });
    const folderless = await bench.node(STAY, { folders: { data: join(bench.root, 'gone') } });
    for (const spec of [gpu, folderless]) {
      await expect(runtime.ensure(spec)).rejects.toMatchObject({ type: 'NodeNotStarted' });
      expect(await anything()).toEqual([]);
    }
  });

  test('a container that a worker made and died before starting it is replaced by one that runs', async () => {
    const spec = await bench.node(STAY);
    const network = await nodeNetwork(engine);
    const host = await hostIdOf(bench.stateDir);
    const unstarted = await engine.createContainer(
      containerOf(spec, { image, network, host, user: { env: {} } }),
    );
    expect(await runtime.inspect(spec)).toEqual({ state: 'absent' });
    const { id, state } = await runtime.ensure(spec);
    expect(state).toBe('running');
    expect(id).not.toBe(unstarted.id);
    expect(await anything()).toHaveLength(1);
  });

  test('workers that share an engine list their own containers only', async () => {
    const others = createDockerRuntime({ engine, stateDir: join(bench.root, 'other-state') });
    const [own, theirs] = [await bench.node(STAY), await bench.node(STAY, { node: 'dream' })];
    await Promise.all([runtime.ensure(own), others.ensure(theirs)]);
    try {
      expect((await runtime.list()).map(({ node }) => node)).toEqual(['biscoe']);
      expect((await others.list()).map(({ node }) => node)).toEqual(['dream']);
    } finally {
      await others.remove(theirs);
    }
  });

  test("a container of somebody else that has the node's name is left alone", async () => {
    const spec = await bench.node(STAY);
    const name = containerName(spec.runId, spec.node);
    const foreign = await engine.createContainer({ name, Image: image, Cmd: ['node'] });
    try {
      await expect(runtime.ensure(spec)).rejects.toMatchObject({
        type: 'NodeNotStarted',
        message: expect.stringContaining(name) as string,
      });
      await runtime.remove(spec);
      expect((await foreign.inspect()).Config.Labels[LABEL_RUN]).toBeUndefined();
    } finally {
      await foreign.remove({ force: true });
    }
  });

  test('what the engine keeps of a log has an end', async () => {
    const { id } = await runtime.ensure(await bench.node('setInterval(() => {}, 1000)'));
    const { HostConfig } = await engine.getContainer(id).inspect();
    expect(HostConfig.LogConfig).toEqual({
      Type: 'json-file',
      Config: { 'max-size': expect.stringMatching(/^\d+m$/) as string, 'max-file': '2' },
    });
  });

  test('following goes on over a restart of the engine', async () => {
    const socketPath = join(bench.root, 'engine.sock');
    const spec = await bench.node(
      `console.log('before'); setInterval(() => {
         if (fs.existsSync('/workspace/runKit/go')) { console.log('after'); process.exit(); }
       }, 10)`,
    );
    let relay = await startRelay(socketPath);
    const distant = createDockerRuntime({ engine: new Docker({ socketPath }), stateDir: bench.stateDir });
    await distant.ensure(spec);
    let said = '';
    for await (const { bytes } of distant.follow(spec, undefined, never)) {
      said += bytes.toString();
      if (said !== 'before\n') continue;
      await relay.stop();
      await give(spec, 'go');
      relay = await startRelay(socketPath);
    }
    expect(said).toBe('before\nafter\n');
    await relay.stop();
  });

  test('waiting goes on over a restart of the engine', async () => {
    const socketPath = join(bench.root, 'engine.sock');
    const spec = await bench.node(
      `${STAY} setInterval(() => fs.existsSync('/workspace/runKit/go') && process.exit(6), 10)`,
    );
    let relay = await startRelay(socketPath);
    const distant = createDockerRuntime({ engine: new Docker({ socketPath }), stateDir: bench.stateDir });
    const { id } = await distant.ensure(spec);
    const ended = distant.wait(spec, never);
    await until(() => relay.waiting() || undefined);
    await relay.stop();
    await expect(distant.inspect(spec)).rejects.toMatchObject({ type: 'EngineUnavailable' });
    relay = await startRelay(socketPath);
    await until(() => relay.waiting() || undefined);
    await give(spec, 'go');
    expect(await ended).toMatchObject({ state: 'exited', id, exitCode: 6 });
    await relay.stop();
  });
});

describe('without a container engine', () => {
  const absent = new Docker({ socketPath: '/no/such/engine.sock' });
  const folder = useFolder();

  test('everything asked of it fails for now, and says that the engine does not answer', async () => {
    expect(await engineAnswers(absent)).toBe(false);
    const runtime = createDockerRuntime({ engine: absent, stateDir: folder });
    const spec = {
      ...{ runId: 'any', launchId: 'launch123456', node: 'biscoe', command: ['node'], image: 'any' },
      ...{ folders: {}, ports: [], env: {} },
      resources: { cpus: 1, memory: '256Mi', pids: 64, shm: '64Mi', gpus: 0 },
    };
    const unavailable = { type: 'EngineUnavailable', nonRetryable: false };
    await expect(runtime.ensure(spec)).rejects.toMatchObject(unavailable);
    await expect(runtime.inspect(spec)).rejects.toMatchObject(unavailable);
    await expect(runtime.stop(spec, 0)).rejects.toMatchObject(unavailable);
    await expect(runtime.remove(spec)).rejects.toMatchObject(unavailable);
    await expect(runtime.logs(spec, 1)).rejects.toMatchObject(unavailable);
    await expect(runtime.list()).rejects.toMatchObject(unavailable);
  });

  test('waiting still ends when it is aborted', async () => {
    const runtime = createDockerRuntime({ engine: absent, stateDir: folder });
    const abort = new AbortController();
    const ref = { runId: 'any', launchId: 'launch123456', node: 'biscoe' };
    const waiting = runtime.wait(ref, abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

interface Relay {
  /** Whether somebody waits for a container's end at the moment. */
  waiting(): boolean;
  /** Breaks every connection and answers no more, as an engine does that is stopped. */
  stop(): Promise<void>;
}

/** A socket behind which the engine is, until the relay is stopped. */
async function startRelay(socketPath: string): Promise<Relay> {
  const sockets = new Set<Socket>();
  let waits = 0;
  const server: Server = createServer((near) => {
    const far = connect('/var/run/docker.sock');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
    near.on('data', (data) => (waits += data.includes('/wait?') ? 1 : 0));
    near.pipe(far).pipe(near);
  }).listen(socketPath);
  await once(server, 'listening');
  return {
    waiting: () => waits > 0,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
