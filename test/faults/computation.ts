/** The computation of the experiments (computation/node.js), as Muster is told of it, and what its nodes leave behind. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MusterApi } from '../../client';
import type { AddComputationData } from '../../client/generated/types.gen';
import { packageRoot } from '../../dev/package-root';

/** Where its commands are run as processes, and what its image is built from. */
export const COMPUTATION_FOLDER = join(packageRoot(), 'test', 'faults', 'computation');
export const COMPUTATION_IMAGE = 'localhost/muster-faults:1';
export const COMPUTATION_NAME = 'held';

/** What a run of it may be told; see {@link PARAMETERS}. */
export interface HeldParameters {
  [name: string]: string | number | boolean;
  payloadBytes: number;
}

const PARAMETERS = {
  type: 'object',
  additionalProperties: false,
  properties: {
    payloadBytes: { type: 'integer', description: 'Of each kit, and of what each node leaves.' },
    holdProvision: { type: 'boolean', description: 'Provisioning waits until it is released, too.' },
    seconds: { type: 'number', description: 'How long nodes work; absent: until they are released.' },
    deaf: { type: 'boolean', description: 'SIGTERM has no effect before the release.' },
    failing: { type: 'string', description: 'The node that ends with exit code 3.' },
  },
};

/** As processes, or in containers of `image`. */
function heldComputation(image?: string): AddComputationData['body'] {
  return {
    name: COMPUTATION_NAME,
    version: '1',
    ...(image !== undefined && { image }),
    commands: {
      provision: ['node', 'node.js', 'provision'],
      central: ['node', 'node.js', 'central'],
      edge: ['node', 'node.js', 'edge'],
    },
    parameters: PARAMETERS,
    outputs: { central: ['result.json'], edge: ['result.json'] },
    resources: { cpus: 1, memory: '256Mi', pids: 64, shm: '64Mi', gpus: 0 },
    // Nodes that do not hear a SIGTERM are released long before they would be killed.
    deadlines: { provision: '5m', start: '10m', run: '1h', stopGrace: '5m' },
  };
}

/** Lets the node go on that looks into this folder. */
export const release = (folder: string): Promise<void> => writeFile(join(folder, 'release'), '');

/** The lines that a node wrote at its starts: one for each. */
export async function startsIn(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, 'starts'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

/** Makes the computation known, and a consortium for each dataset that its sites may have. */
export async function registerHeld(
  api: MusterApi,
  siteIds: readonly string[],
  datasets: readonly string[],
  image?: string,
): Promise<void> {
  const { computation } = await api.addComputation({
    body: heldComputation(image),
    query: { replace: 'true' },
  });
  const { name, version } = computation;
  for (const dataset of datasets) {
    const sites = siteIds.map((id) => ({ id, name: `Site ${id}`, dataset }));
    await api.putConsortium({
      path: { consortiumId: dataset },
      body: { name: dataset, computation: { name, version }, sites },
    });
  }
}
