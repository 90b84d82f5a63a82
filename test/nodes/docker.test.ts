import Docker from 'dockerode';
import { once } from 'node:events';
import { readlink, symlink } from 'node:fs/promises';
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
import { Bench, give, never, output } from './support';
import { until } from '../support/until';

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

  test('a node shares nothing of the host: no network, processes or memory, and its system calls are bounded', async () => {
    const spec = await bench.node(
      `const links = ['net', 'pid', 'ipc', 'mnt', 'uts'].map((name) => fs.readlinkSync('/proc/self/ns/' + name));
       fs.writeFileSync('/workspace/output/seen', links.join(' ') + '\\n' + fs.readFileSync('/proc/self/status'))`,
    );
    const { id } = await runtime.ensure(spec);
    await runtime.wait(spec, never);
    const { HostConfig } = await look(id);
    expect(HostConfig).toMatchObject({ Privileged: false, IpcMode: 'private', PidMode: '', UTSMode: '' });
    expect(HostConfig.Binds ?? []).toEqual([]);
    const [links = '', ...status] = (await output(spec, 'seen')).split('\n');
    for (const link of links.split(' ')) {
      const [name = ''] = link.split(':');
      expect(link).not.toBe(await readlink(`/proc/self/ns/${name}`));
    }
    expect(status).toContain('Seccomp:\t2');
  });

  test('a root that is read-only leaves a node its kit, its results and /tmp to write to', async () => {
    const spec = await bench.node(
      `const wrote = (path) => { try { fs.writeFileSync(path + '/x', 'x'); return 'yes'; } catch ({ code }) { return code; } };
       const seen = ['/', '/etc', '/workspace', '/var/tmp', '/workspace/data', process.env.HOME, '/tmp', '/workspace/runKit', '/dev/shm'];
       fs.writeFileSync('/workspace/output/wrote', seen.map(wrote).join(' '));`,
      { containers: { readOnlyRoot: true } },
    );
    await runtime.ensure(spec);
    expect(await runtime.wait(spec, never)).toMatchObject({ exitCode: 0 });
    expect(await output(spec, 'wrote')).toMatch(/^(?:(?:EROFS|EACCES|ENOENT) ){5}yes yes yes yes$/);
  });

  test("a node is put on the network that the site made, and on none that would be the host's", async () => {
    const name = `${bench.runId}-bounded`;
    const network = await engine.createNetwork({ Name: name, Driver: 'bridge', Internal: true });
    try {
      const { id } = await runtime.ensure(await bench.node(STAY, { containers: { network: name } }));
      expect(Object.values((await look(id)).NetworkSettings.Networks)).toMatchObject([
        { NetworkID: network.id },
      ]);
      for (const [other, words] of [
        [`${name}-gone`, 'is not on this host'],
        ['host', 'of the kind host'],
      ] as const) {
        const spec = await bench.node(STAY, { node: 'dream', containers: { network: other } });
        await expect(runtime.ensure(spec)).rejects.toMatchObject({
          type: 'NodeNotStarted',
          message: expect.stringContaining(words) as string,
        });
      }
      await Promise.all((await anything()).map((ref) => runtime.remove(ref)));
    } finally {
      await network.remove();
    }
  });

  test("a folder with the engine's socket in it is not mounted, whatever it is called", async () => {
    const link = join(bench.root, 'data-of-the-site');
    await symlink('/var/run', link);
    for (const data of ['/var/run/docker.sock', '/run', '/', link]) {
      const spec = await bench.node(STAY, { folders: { data } });
      await expect(runtime.ensure(spec)).rejects.toMatchObject({
        type: 'NodeNotStarted',
        message: expect.stringMatching(
          /^The folder for \/workspace\/data is not mounted.*docker\.sock/,
        ) as string,
      });
      expect(await anything()).toEqual([]);
    }
  });

  test('two instances that have a run of one id on one engine do not touch each other’s nodes', async () => {
    const others = createDockerRuntime({ engine, stateDir: join(bench.root, 'other-state') });
    const spec = await bench.node(STAY);
    // The very same run, launch and node, and a later launch of it.
    for (const theirs of [spec, { ...spec, launchId: 'otherlaunch1' }]) {
      const [own, other] = await Promise.all([runtime.ensure(spec), others.ensure(theirs)]);
      expect(other.id).not.toBe(own.id);
      await others.stop(theirs, 0);
      await others.remove(theirs);
      expect(await runtime.inspect(spec)).toMatchObject({ state: 'running', id: own.id });
    }
  });

  test('a node that an older version named is found, and not started twice', async () => {
    const spec = await bench.node(STAY);
    const { id } = await runtime.ensure(spec);
    await engine.getContainer(id).rename({ name: `muster-${spec.runId}-${spec.node}` });
    expect(await runtime.ensure(spec)).toMatchObject({ state: 'running', id });
    expect(await runtime.stop(spec, 0)).toMatchObject({ wasRunning: true });
    await runtime.remove(spec);
    expect(await anything()).toEqual([]);
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
    const host = await hostIdOf(bench.stateDir);
    expect(Name).toBe(`/muster-${bench.runId}-biscoe-${host.slice(0, 8)}`);
    expect(Config.Labels).toMatchObject({
      'io.muster.run': bench.runId,
      'io.muster.launch': bench.launchId,
      'io.muster.node': 'biscoe',
      'io.muster.host': host,
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
      containerOf(spec, { image, placing: { network, names: {} }, host, user: { env: {} } }),
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
    const name = containerName(spec.runId, spec.node, await hostIdOf(bench.stateDir));
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
    await until(() => relay.waiting());
    await relay.stop();
    await expect(distant.inspect(spec)).rejects.toMatchObject({ type: 'EngineUnavailable' });
    relay = await startRelay(socketPath);
    await until(() => relay.waiting());
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
