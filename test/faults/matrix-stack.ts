/** The stack on which the matrix is measured: two sites, and a hand on the way from the central worker to the object store. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectEngine } from '../../nodes';
import { ensureImage } from '../../nodes/image';
import { TcpProxy } from '../support/tcp-proxy';
import { COMPUTATION_FOLDER, COMPUTATION_IMAGE, COMPUTATION_NAME, registerHeld } from './computation';
import { ownEngine } from './engine';
import type { PartName } from './experiments';
import type { Holding } from './phases';
import { ownPostgres } from './postgres';
import { FaultStack, type FaultStackOptions } from './stack';

const SITES = ['a', 'b'];
/** Each is called like its data. */
const CONSORTIA = { usual: 'usual', late: 'late' };

export interface MatrixStack extends Holding {
  close(): Promise<void>;
}

/** What a stack needs besides itself so that a part of it can be hurt. */
interface Surroundings {
  options: Pick<FaultStackOptions, 'allowed' | 'first' | 'env'>;
  image?: string;
  /** Called while everything still runs, and when it has ended. */
  empty?: () => Promise<void>;
  remove?: () => Promise<void>;
}

/**
 * A stack on which `part` can be hurt. Nodes are containers of an engine of its own where that is the engine, else
 * processes; the API has its database embedded unless that is a server of its own.
 */
export async function openMatrixStack(part: PartName, say: (line: string) => void): Promise<MatrixStack> {
  const root = await mkdtemp(join(tmpdir(), 'muster-faults-'));
  const closing: (() => Promise<unknown>)[] = [
    () => rm(root, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const close = async () => {
    for (const step of closing.splice(0).toReversed()) await step();
  };
  try {
    const { options, image, empty, remove } = await surroundings(part, root);
    if (remove) closing.push(remove);
    const lateFolder = join(root, 'data', 'late');
    const ports: { toStore?: TcpProxy } = {};
    const stack = await FaultStack.open({
      ...options,
      state: join(root, 'stack'),
      sites: await sitesOf(join(root, 'data'), lateFolder),
      say,
      placed: async ({ objectStore }) => {
        ports.toStore = await TcpProxy.open(Number(new URL(objectStore.endpoint).port));
      },
      env: (name) => ({
        ...(name === 'central-worker' && { MINIO_ENDPOINT: `https://${ports.toStore?.address ?? ''}` }),
        ...options.env?.(name),
      }),
    });
    closing.push(() => stack.close(empty));
    const { toStore } = ports;
    if (toStore === undefined) throw new Error('nobody told where the object store is');
    closing.push(() => toStore.close());
    if (image !== undefined)
      await ensureImage({ engine: connectEngine(), image, folder: COMPUTATION_FOLDER, build: true, say });
    await registerHeld(stack.api, SITES, Object.values(CONSORTIA), image);
    return { stack, toStore, consortia: CONSORTIA, lateFolder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function surroundings(part: PartName, root: string): Promise<Surroundings> {
  const name = COMPUTATION_NAME;
  const asProcesses = { name, runtime: 'process', folder: COMPUTATION_FOLDER } as const;
  if (part === 'docker') {
    const { part: first, ...engine } = await ownEngine(root);
    const image = COMPUTATION_IMAGE;
    return { options: { allowed: { name, runtime: 'docker', image }, first: [first] }, image, ...engine };
  }
  if (part !== 'postgres') return { options: { allowed: asProcesses } };
  const { part: first, url, remove } = await ownPostgres();
  const env = (of: string): Record<string, string> => (of === 'api' ? { DATABASE_URL: url } : {});
  return { options: { allowed: asProcesses, first: [first], env }, remove };
}

/** Every site with its data; the last one lacks what is called `late`. */
async function sitesOf(folder: string, lateFolder: string): Promise<FaultStackOptions['sites']> {
  const usual = join(folder, 'usual');
  await mkdir(usual, { recursive: true });
  const last = SITES.at(-1);
  return Object.fromEntries(SITES.map((id) => [id, { usual, late: id === last ? lateFolder : usual }]));
}
