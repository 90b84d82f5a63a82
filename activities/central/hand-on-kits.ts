/** handOnKits: sites whose nodes begin anew, each in a launch of its own, find their kits published for that launch. */
import { republishKits } from '../../storage';
import { mapInBatches } from '../../storage/batch';
import { CENTRAL_NODE, type HandOnInput, type PublishedKits } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { oneAtATime } from '../shared/one-at-a-time';
import { unlessStopped } from '../shared/unless-stopped';
import type { CentralHost } from './central-host';
import { handKeysOver } from './kit-keys';
import { noteHandedOn, readReceipt, removeKits } from './published-kits';

/** Each asks the object store and the central API a few things. */
const AT_ONCE = 8;

export function createHandOnKits(host: CentralHost) {
  const inTurn = oneAtATime();
  return function handOnKits({ to, ...ref }: HandOnInput): Promise<PublishedKits> {
    const handOn = async (): Promise<PublishedKits> => {
      const { kits: own = [] } = (await readReceipt(host, ref)) ?? {};
      const launchIds = to.map(({ launchId }) => launchId);
      await noteHandedOn(host, ref, launchIds);
      const kits = await mapInBatches(to, AT_ONCE, async ({ site, launchId }) => {
        const kit = own.find(({ node }) => node === site);
        if (kit === undefined) throw failure('KitUnavailable', `This host has published no kit for ${site}.`);
        const next = { runId: ref.runId, launchId };
        const published = await republishKits(host.store, next, [kit]);
        await handKeysOver(host, ref, next, published);
        return published;
      });
      return { kits: kits.flat() };
    };
    return inTurn(`${ref.runId}/${ref.launchId}`, () =>
      unlessStopped(host.folders, { ...ref, node: CENTRAL_NODE }, handOn, () => removeKits(host, ref)),
    );
  };
}
