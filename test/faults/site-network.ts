/** A network between the sites and the centre that is slow, breaks connections, or is away for a while. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place } from '../../dev/place';
import { TcpProxy } from '../support/tcp-proxy';
import type { HeldParameters } from './computation';
import { FollowedRun } from './followed-run';
import { numbersFrom } from './random-kills';
import { checkRun } from './run-checks';
import type { FaultStack, FaultStackOptions } from './stack';

const DELAY_MS = 500;
const RESET_EVERY_MS = 200;
const ENDED_MS = 300_000;
const SEED = 1;

/** What became of the runs that went through it. */
export interface NetworkOutcome {
  what: string;
  seconds: number;
  wrong: string[];
}

/** All that a site reaches the centre by: the gateway, the API, and the object store by the addresses that the API gives out. */
export class SiteNetwork {
  private ways: { gateway: TcpProxy; api: TcpProxy; store: TcpProxy } | undefined;

  /** What a stack is to be opened with so that its sites are on this network. */
  readonly options: Pick<FaultStackOptions, 'placed' | 'seenFromSites' | 'env'> = {
    placed: async ({ sites, objectStore }) => {
      const [ofGateway, ofApi, ofStore] = await Promise.all(
        [`https://${sites.gateway}`, sites.apiUrl, objectStore.endpoint].map((url) =>
          TcpProxy.open(Number(new URL(url).port)),
        ),
      );
      if (ofGateway && ofApi && ofStore) this.ways = { gateway: ofGateway, api: ofApi, store: ofStore };
    },
    seenFromSites: (place: Place) => ({
      ...place,
      sites: { apiUrl: `https://${this.to('api').address}`, gateway: this.to('gateway').address },
    }),
    env: (part): Record<string, string> =>
      part === 'api' ? { MINIO_PUBLIC_ENDPOINT: `https://${this.to('store').address}` } : {},
  };

  get all(): TcpProxy[] {
    return Object.values(this.ways ?? {});
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((way) => way.close()));
  }

  private to(where: 'gateway' | 'api' | 'store'): TcpProxy {
    if (this.ways === undefined) throw new Error('the network is not there yet');
    return this.ways[where];
  }
}

/** Runs on a stack whose sites are on a {@link SiteNetwork}. */
export class NetworkExperiments {
  constructor(
    private readonly stack: FaultStack,
    private readonly network: SiteNetwork,
    private readonly consortium: string,
  ) {}

  /** Everything takes half a second longer. */
  async slow(): Promise<NetworkOutcome> {
    const { all } = this.network;
    for (const way of all) way.delayMs = DELAY_MS;
    try {
      return await this.outcome(`a delay of ${DELAY_MS} ms`, async () => [await this.start({ seconds: 2 })]);
    } finally {
      for (const way of all) way.delayMs = 0;
    }
  }

  /** One of the connections breaks, again and again. */
  async breaking(): Promise<NetworkOutcome> {
    const draw = numbersFrom(SEED);
    const { all } = this.network;
    const timer = setInterval(() => all.forEach((way) => way.reset(draw())), RESET_EVERY_MS);
    try {
      return await this.outcome(`connections that break every ${RESET_EVERY_MS} ms`, () =>
        Promise.all([1, 5, 10].map((seconds) => this.start({ seconds }))),
      );
    } finally {
      clearInterval(timer);
    }
  }

  /** One run is up when the sites are cut off and ends meanwhile; another is started meanwhile. */
  cut(ms: number): Promise<NetworkOutcome> {
    const { all } = this.network;
    return this.outcome(`a cut of ${ms / 1000} s`, async () => {
      const up = await this.start({});
      await up.up();
      all.forEach((way) => way.cut());
      try {
        const late = await this.start({ seconds: 1 });
        await sleep(ms / 2);
        up.release();
        await sleep(ms / 2);
        return [up, late];
      } finally {
        all.forEach((way) => way.mend());
      }
    });
  }

  private start(parameters: Omit<HeldParameters, 'payloadBytes'>): Promise<FollowedRun> {
    const all = { ...parameters, payloadBytes: 100_000 };
    return FollowedRun.start(this.stack, this.consortium, all, `network-${Date.now()}-${Math.random()}`);
  }

  private async outcome(what: string, start: () => Promise<FollowedRun[]>): Promise<NetworkOutcome> {
    const began = Date.now();
    const wrong: string[] = [];
    for (const run of await start()) {
      const { detail, followed } = await run.ended(ENDED_MS);
      const { state, error } = detail.run;
      if (state !== 'complete') wrong.push(`${run.runId} is ${state}: ${JSON.stringify(error)}`);
      wrong.push(...(await checkRun(this.stack, detail, followed)));
      await run.leave();
    }
    return { what, seconds: Math.round((Date.now() - began) / 1000), wrong };
  }
}
