/**
 * Where webhooks may lead: into the open net, and into networks of one's own only where the operator names them. A lead chooses
 * the address, and must not reach by it what only the centre reaches. So what a name leads to is looked at when the connection
 * is made, and not before.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';

export interface Network {
  address: string;
  prefix: number;
  family: 'ipv4' | 'ipv6';
}

/** An address that webhooks may not lead to. */
export class ForbiddenAddress extends Error {
  override name = 'ForbiddenAddress';
}

/** What is not the open net: private, local, shared, reserved, or a way to write an older address in a newer form. */
const NOT_OPEN: readonly Network[] = [
  ...(
    [
      ['0.0.0.0', 8],
      ['10.0.0.0', 8],
      ['100.64.0.0', 10],
      ['127.0.0.0', 8],
      ['169.254.0.0', 16],
      ['172.16.0.0', 12],
      ['192.0.0.0', 24],
      ['192.168.0.0', 16],
      ['198.18.0.0', 15],
      ['224.0.0.0', 4],
      ['240.0.0.0', 4],
    ] as const
  ).map(([address, prefix]) => ({ address, prefix, family: 'ipv4' as const })),
  ...(
    [
      ['::', 96],
      ['64:ff9b::', 96],
      ['64:ff9b:1::', 48],
      ['100::', 64],
      ['2001::', 32],
      ['2002::', 16],
      ['fc00::', 7],
      ['fe80::', 10],
      ['fec0::', 10],
      ['ff00::', 8],
    ] as const
  ).map(([address, prefix]) => ({ address, prefix, family: 'ipv6' as const })),
];

export interface WebhookAddresses {
  /** @throws ForbiddenAddress where the address alone says that it may not be used */
  check(url: URL): void;
  /** For connections: a name's addresses, without those that may not be used. */
  readonly lookup: LookupFunction;
}

/** @param networks of one's own that webhooks may be in */
export function createWebhookAddresses(networks: readonly Network[]): WebhookAddresses {
  const notOpen = listOf(NOT_OPEN);
  const own = listOf(networks);
  const loopback = listOf([
    { address: '127.0.0.0', prefix: 8, family: 'ipv4' },
    { address: '::1', prefix: 128, family: 'ipv6' },
  ]);
  const isIn = (list: BlockList, address: string) =>
    list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  const mayUse = (address: string) => isIn(own, address) || !isIn(notOpen, address);

  return {
    check({ protocol, hostname }) {
      const host = hostname.replace(/^\[|\]$/g, '');
      const isLocal = host === 'localhost' || (isIP(host) !== 0 && isIn(loopback, host));
      if (protocol !== 'https:' && !(protocol === 'http:' && isLocal))
        throw new ForbiddenAddress(`${protocol}//${hostname} is not reached by TLS.`);
      if (isIP(host) !== 0 && !mayUse(host)) throw forbidden(host, host);
    },

    lookup: (host, options, done) => {
      lookup(host, { all: true, family: options.family === 6 ? 6 : options.family === 4 ? 4 : 0 }).then(
        (found) => {
          const usable = found.filter(({ address }) => mayUse(address));
          const [first] = usable;
          if (first === undefined) done(forbidden(host, found[0]?.address ?? 'nothing'), '', 0);
          else if (options.all === true) done(null, usable);
          else done(null, first.address, first.family);
        },
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), '', 0),
      );
    },
  };
}

function forbidden(host: string, address: string): ForbiddenAddress {
  const where = host === address ? host : `${host} (${address})`;
  return new ForbiddenAddress(
    `${where} is in a network that webhooks may not lead to: the operator would have to name it in MUSTER_WEBHOOK_NETWORKS.`,
  );
}

function listOf(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const { address, prefix, family } of networks) list.addSubnet(address, prefix, family);
  return list;
}
