/**
 * takeOverLaunch: what a launch has on this host, its kits and its ports, becomes that of a newer one, so that nothing
 * need be provisioned again. Its nodes are ended before that one's start.
 */
import { republishKits } from '../../storage';
import {
  CENTRAL_NODE,
  hostQueue,
  type LaunchRef,
  type Provisioned,
  type TakeOverInput,
} from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { oneAtATime } from '../shared/one-at-a-time';
import { unlessStopped } from '../shared/unless-stopped';
import { nameForEdges, type CentralHost } from './central-host';
import { handKeysOver, readKitKeys, writeKitKeys } from './kit-keys';
import { endOlderLaunches, type Ending } from './older-launches';
import { readReceipt, removeKits, writeReceipt } from './published-kits';

export function createTakeOverLaunch(host: CentralHost, ending: Ending) {
  const inTurn = oneAtATime();
  return function takeOverLaunch({ from, computation, ...ref }: TakeOverInput): Promise<Provisioned> {
    const undo = async () => {
      await removeKits(host, ref);
      await host.ports.release(ref);
    };
    const takeOver = async (): Promise<Provisioned> => {
      const older = { runId: ref.runId, launchId: from };
      if ((await readReceipt(host, ref)) === undefined) await takeKits(host, older, ref);
      const { runtime = 'process' } = await host.folders.readRecord(ref);
      const ports = await host.ports.handOn(older, ref);
      await endOlderLaunches(host, ending, { ...ref, computation });
      return { hostQueue: hostQueue(host.hostId), endpoint: { host: nameForEdges(host, runtime), ports } };
    };
    return inTurn(`${ref.runId}/${ref.launchId}`, () =>
      unlessStopped(host.folders, { ...ref, node: CENTRAL_NODE }, takeOver, undo),
    );
  };
}

/** The receipt is written last: where it is, nothing more is needed of the older launch. */
async function takeKits(host: CentralHost, older: LaunchRef, ref: LaunchRef): Promise<void> {
  const [published, keys, { runtime, made }] = await Promise.all([
    readReceipt(host, older),
    readKitKeys(host, older),
    host.folders.readRecord(older),
  ]);
  if (published === undefined || keys === undefined || runtime === undefined || made === undefined)
    throw failure(
      'ProvisionFailed',
      `This host no longer has the kits of launch ${older.launchId}: retry the run from provisioning.`,
    );
  // The kits name the endpoint, which is where the central node runs in this way.
  await host.folders.addToRecord(ref, { runtime, made });
  await writeKitKeys(host, ref, keys);
  const kits = await republishKits(host.store, ref, published.kits);
  await handKeysOver(host, ref, ref, kits);
  await writeReceipt(host, ref, { kits });
}
