/** The floor's nodes: plain child processes, with the environment that the process runtime gives them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, closeSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signalGroup } from '../../nodes/process-table';
import { CENTRAL_KIT_FOLDER, CENTRAL_NODE } from '../../workflows/contract';
import type { FloorProgram } from './floor-contract';

const provisionFolder = (run: string) => join(run, 'provision');
const nodeFolder = (run: string, node: string) => join(run, 'nodes', node);

/** Lets the computation make the kits. */
export async function provisionKits(run: string, program: FloorProgram, input: object): Promise<void> {
  const folder = provisionFolder(run);
  mkdirSync(folder, { recursive: true });
  await writeFile(join(folder, 'provision_input.json'), JSON.stringify(input));
  const child = start(run, program, 'provision', { PROVISION_DIR: folder }, 'provision');
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`provisioning ended with exit code ${code ?? 'none'}`);
}

/** Starts a node with the very kit that was made for it. */
export async function startNode(
  run: string,
  program: FloorProgram,
  node: string,
  data?: string,
): Promise<ChildProcess> {
  const isCentral = node === CENTRAL_NODE;
  const kit = join(provisionFolder(run), 'runKits', isCentral ? CENTRAL_KIT_FOLDER : node);
  const env = {
    RUN_KIT_DIR: kit,
    PARAMETERS_FILE_PATH: join(kit, 'parameters.json'),
    OUTPUT_DIR: join(nodeFolder(run, node), 'output'),
    ...(data !== undefined && { DATA_DIR: data }),
  };
  const child = start(run, program, node, env, isCentral ? 'central' : 'edge');
  await once(child, 'spawn');
  await writeFile(join(nodeFolder(run, node), 'pid'), String(child.pid));
  return child;
}

/** What a node has written so far. */
export function readLog(run: string, node: string): Promise<string> {
  return readFile(join(nodeFolder(run, node), 'log'), 'utf8').catch(() => '');
}

/** Ends a node that was started, whoever did. */
export async function endNode(run: string, node: string): Promise<void> {
  const pid = Number(await readFile(join(nodeFolder(run, node), 'pid'), 'utf8').catch(() => ''));
  if (pid > 0) signalGroup({ pid }, 'SIGTERM');
}

function start(
  run: string,
  { folder, commands }: FloorProgram,
  node: string,
  env: NodeJS.ProcessEnv,
  command: keyof FloorProgram['commands'],
): ChildProcess {
  const [file = '', ...args] = commands[command];
  mkdirSync(nodeFolder(run, node), { recursive: true });
  const log = openSync(join(nodeFolder(run, node), 'log'), 'a');
  try {
    const { PATH, HOME, LANG, TMPDIR } = process.env;
    return spawn(file, args, {
      cwd: folder,
      env: { PATH, HOME, LANG, TMPDIR, ...env },
      detached: true,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}
