/** How containers reach this machine. */
import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { ask, connectEngine, engineAnswers } from '../nodes/engine';

/** The name by which containers that Muster starts know the machine they run on. */
export const HOST_FROM_CONTAINERS = 'host.docker.internal';

const BridgeNetwork = z.object({
  IPAM: z.object({ Config: z.array(z.object({ Gateway: z.string().optional() })).nullable() }),
});

export interface Bridge {
  /** The address of this machine on the containers' network; absent where the engine passes calls on to loopback itself. */
  gateway: string | undefined;
}

/** How containers reach this machine; `undefined` without a container engine. */
export async function findBridge(): Promise<Bridge | undefined> {
  const engine = connectEngine();
  if (!(await engineAnswers(engine))) return undefined;
  const network = BridgeNetwork.safeParse(
    await ask(engine.getNetwork('bridge').inspect()).catch(() => undefined),
  );
  const gateways = network.data?.IPAM.Config?.map(({ Gateway }) => Gateway) ?? [];
  const own = Object.values(networkInterfaces()).flatMap(
    (addresses) => addresses?.map(({ address }) => address) ?? [],
  );
  return { gateway: gateways.find((gateway) => gateway !== undefined && own.includes(gateway)) };
}
