/**
 * What Muster adds to a real computation in containers: `muster try --once` on a stack that is up, against the same
 * provisioning, central node and sites started by `docker run`, as a person with a script would.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import getPort from 'get-port';
import { z } from 'zod';
import { packageRoot } from '../../dev/package-root';
import type { Stack } from '../../dev/stack';
import { CENTRAL_KIT_FOLDER } from '../../workflows/contract';
import type { Pair } from './figures';

const run = promisify(execFile);

const FOLDER = join(packageRoot(), 'computations', 'nvflare-average');
const MANIFEST = join(FOLDER, 'computation.yaml');
const IMAGE = 'localhost/muster-nvflare-average:1.0.0';
const SITES = ['a', 'b'];
const HOST = 'host.docker.internal';

const dataOf = (site: string) => join(FOLDER, 'data', site);
const entry = (command: string) => ['python', `/workspace/system/entry_${command}.py`];

/** Seconds that each side takes, several times. The first pair is not counted: it makes the image, if need be. */
export async function dockerOverhead(
  stack: Stack,
  wanted: number,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let number = 0; number <= wanted; number++) {
    const muster = await timed(() => tryOnce(stack, signal));
    const floor = await timed(() => runByHand(signal));
    say(`Containers, ${number} of ${wanted}: by hand ${floor.toFixed(1)} s, Muster ${muster.toFixed(1)} s`);
    if (number > 0) pairs.push({ floor, muster });
  }
  return pairs;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

const Summary = z.object({ status: z.literal('complete') });

async function tryOnce({ paths }: Stack, signal: AbortSignal): Promise<void> {
  const sites = SITES.flatMap((site) => ['--site', `${site}=${dataOf(site)}`]);
  const options = ['--runtime', 'docker', '--once', '--json', '--state', paths.root];
  const cli = join(packageRoot(), 'dist/cli/main.js');
  const { stdout } = await run(process.execPath, [cli, 'try', MANIFEST, ...sites, ...options], { signal });
  Summary.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}

async function runByHand(signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-by-hand-'));
  const containers: string[] = [];
  const docker = async (...args: string[]) => (await run('docker', args, { signal })).stdout.trim();
  try {
    const port = await getPort();
    await mkdir(join(folder, 'provisioning'));
    await writeFile(join(folder, 'provisioning/provision_input.json'), provisionInput(port));
    await docker('run', '--rm', '-v', `${folder}/provisioning:/provisioning`, IMAGE, ...entry('provision'));
    const start = async (kit: string, command: string, ...more: string[]) => {
      await cp(join(folder, 'provisioning/runKits', kit), join(folder, kit, 'kit'), { recursive: true });
      await mkdir(join(folder, kit, 'output'));
      const mounts = [
        '-v',
        `${folder}/${kit}/kit:/workspace/runKit`,
        '-v',
        `${folder}/${kit}/output:/workspace/output`,
      ];
      const host = ['--init', '--add-host', `${HOST}:host-gateway`];
      containers.push(await docker('run', '-d', ...host, ...mounts, ...more, IMAGE, ...entry(command)));
    };
    await start(CENTRAL_KIT_FOLDER, 'central', '-p', `${port}:${port}`);
    await Promise.all(SITES.map((site) => start(site, 'edge', '-v', `${dataOf(site)}:/workspace/data:ro`)));
    const codes = await docker('wait', ...containers);
    if (/[^0\s]/.test(codes))
      throw new Error(`By hand, the containers ended with ${codes.replaceAll('\n', ', ')}`);
  } finally {
    if (containers.length > 0) await run('docker', ['rm', '-f', ...containers]);
    await rm(folder, { recursive: true, force: true });
  }
}

const provisionInput = (port: number) =>
  JSON.stringify({
    users: SITES.map((id) => ({ id, name: id })),
    computation_parameters: '{}',
    fed_learn_port: port,
    host_identifier: HOST,
  });
