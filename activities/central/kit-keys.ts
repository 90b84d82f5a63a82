/**
 * What the kits of a launch are sealed with: kept beside the launch's other files for as long as there are kits, and told
 * to the central API, which gives each site its own.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { newContentKey } from '../../storage';
import { ContentKey } from '../../workflows/api-contract';
import { CENTRAL_NODE, NodeName, type Kit, type LaunchRef } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { writeWhole } from '../shared/write-whole';
import type { CentralHost } from './central-host';

type Keys = ReadonlyMap<string, Buffer>;
const KeysFile = z.record(NodeName, ContentKey);

/** The keys by node; `undefined` where none were made. */
export async function readKitKeys(
  { folders }: Pick<CentralHost, 'folders'>,
  ref: LaunchRef,
): Promise<Keys | undefined> {
  const text = await readFile(folders.kitKeys(ref), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const keys = Object.entries(KeysFile.parse(JSON.parse(text)));
  return new Map(keys.map(([node, key]) => [node, Buffer.from(key, 'base64url')]));
}

export async function writeKitKeys(
  { folders }: Pick<CentralHost, 'folders'>,
  ref: LaunchRef,
  keys: Keys,
): Promise<void> {
  await folders.open(ref);
  const content = Object.fromEntries([...keys].map(([node, key]) => [node, key.toString('base64url')]));
  await writeWhole(folders.kitKeys(ref), JSON.stringify(content));
}

/** A key for each node: made once, so that whoever seals after a crash seals with the same. */
export async function ensureKitKeys(
  host: Pick<CentralHost, 'folders'>,
  ref: LaunchRef,
  nodes: readonly string[],
): Promise<Keys> {
  const known = await readKitKeys(host, ref);
  if (known !== undefined) return known;
  const keys = new Map(nodes.map((node) => [node, newContentKey()]));
  await writeKitKeys(host, ref, keys);
  return keys;
}

/**
 * Tells the central API the keys of sites' kits, and what the launch is that they are of. The same again is no error.
 * @param made the launch that the kits were made for
 * @param ref the launch that they are published for
 */
export async function handKeysOver(
  host: Pick<CentralHost, 'folders' | 'api'>,
  made: LaunchRef,
  ref: LaunchRef,
  kits: readonly Kit[],
): Promise<void> {
  const [keys, { made: what }] = await Promise.all([readKitKeys(host, made), host.folders.readRecord(made)]);
  const ofSites = kits.filter(({ node }) => node !== CENTRAL_NODE);
  const told = ofSites.map(({ node, sha256, size }) => {
    const [key, dataset] = [keys?.get(node), what?.datasets[node]];
    if (key === undefined || dataset === undefined)
      throw failure('KitUnavailable', `This host does not have the key of the kit of ${node}.`);
    return { node, sha256, size, dataset, key: key.toString('base64url') };
  });
  if (what === undefined || told.length === 0) return;
  await host.api.putRunKits(ref.runId, ref.launchId, { computation: what.computation, kits: told });
}
