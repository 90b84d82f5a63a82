/** Publishes a launch's kits: one sealed zip for each node, and a manifest that names them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { kitKey, kitManifestKey, type Kit, type LaunchRef } from '../workflows/contract';
import { mapInBatches } from './batch';
import type { ObjectStore } from './object-store';
import { packKit } from './pack-kit';

export interface PublishKitsInput extends LaunchRef {
  /** The kit folder of each node, by the node's name. */
  folders: Readonly<Record<string, string>>;
  /** What each kit is sealed with; the same for a repeat. */
  keys: ReadonlyMap<string, Buffer>;
}

/** Packing keeps a core busy, uploading waits: a few at a time do both. */
const WIDTH = 4;

/**
 * Packs, seals and uploads every kit, then the manifest. A repeat after a crash finds what is there and gives the same kits.
 * @throws ApplicationFailure `KitBroken` when the launch already has a kit of other content
 */
export async function publishKits(store: ObjectStore, input: PublishKitsInput): Promise<Kit[]> {
  const nodes = Object.entries(input.folders).sort(([a], [b]) => (a < b ? -1 : 1));
  const kits = await mapInBatches(nodes, WIDTH, ([node, folder]) => publishKit(store, input, node, folder));
  await putManifest(store, input, kits);
  return kits;
}

/** Publishes kits of another launch of the run for this one too, without reading them. Idempotent. */
export async function republishKits(
  store: ObjectStore,
  { runId, launchId }: LaunchRef,
  published: readonly Kit[],
): Promise<Kit[]> {
  const kits = await mapInBatches(published, WIDTH, async (kit) => {
    const key = kitKey(runId, launchId, kit.node);
    await store.copyOnce(kit.key, key, kit);
    return { ...kit, key };
  });
  await putManifest(store, { runId, launchId }, kits);
  return kits;
}

async function putManifest(
  store: ObjectStore,
  { runId, launchId }: LaunchRef,
  kits: readonly Kit[],
): Promise<void> {
  const manifest = JSON.stringify({ runId, launchId, kits }, undefined, 2);
  await store.putOnce(kitManifestKey(runId, launchId), Buffer.from(manifest));
}

async function publishKit(
  store: ObjectStore,
  { runId, launchId, keys }: PublishKitsInput,
  node: string,
  folder: string,
): Promise<Kit> {
  const contentKey = keys.get(node);
  if (contentKey === undefined) throw new Error(`there is no key for the kit of ${node}`);
  // Beside the kit: the system's folder for temporary files may be small, or memory.
  const scratch = await mkdtemp(join(dirname(folder), '.pack-'));
  try {
    const path = join(scratch, 'kit');
    const digest = await packKit(folder, path, contentKey);
    const key = kitKey(runId, launchId, node);
    await store.putOnce(key, { path, ...digest });
    return { node, key, ...digest };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
