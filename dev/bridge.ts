/** How containers reach this machine. */
import { z } from 'zod';
import { ask, connectEngine, engineAnswers } from '../nodes/engine';
import { isFree } from './ports';

/** The name by which containers that Muster starts know the machine they run on. */
export const HOST_FROM_CONTAINERS = 'host.docker.internal';

const BridgeNetwork = z.object({
  IPAM: z.object({
    Config: z.array(z.object({ Gateway: z.string().optional(), Subnet: z.string().optional() })).nullable(),
  }),
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
  for (const { Gateway, Subnet } of network.data?.IPAM.Config ?? []) {
    const gateway = Gateway ?? firstAddress(Subnet ?? '');
    // Where the engine runs in a virtual machine, the gateway is there and not here. A list of this machine's addresses
    // would not do: it leaves out the bridge as long as no container is on it.
    if (gateway !== undefined && (await isFree([gateway], 0))) return { gateway };
  }
  return { gateway: undefined };
}

/** The first address of an IPv4 network such as `172.17.0.0/16`; older engines do not say that it is the gateway. */
export function firstAddress(subnet: string): string | undefined {
  const [, prefix, last] = /^((?:\d{1,3}\.){3})(\d{1,3})\/\d+$/.exec(subnet) ?? [];
  return prefix === undefined ? undefined : `${prefix}${Number(last) + 1}`;
}
