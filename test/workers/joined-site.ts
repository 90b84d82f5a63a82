/** A site that has joined, with all that its edge worker speaks to: a real gateway and a real API, of one test file. */
import { pino } from 'pino';
import { writeIdentity } from '../../client/identity-folder';
import { createGateway, type Gateway } from '../../server/gateway/gateway';
import { connectTemporal } from '../../server/gateway/temporal';
import { sitePayloadsOf } from '../../server/gateway/payloads';
import { TokenKeys } from '../../server/gateway/tokens';
import { siteIdentityOf } from '../../server/identity/certificate';
import { SiteList } from '../../workflows/api-contract';
import { useSiteApi } from '../server/site-api';
import { useFolder } from '../support/folder';
import { TEST_KEYS, testCodec } from '../support/sealed';
import type { TestTemporal } from '../support/temporal';

export interface JoinedTestSite {
  readonly temporal: TestTemporal;
  /** host:port */
  readonly gateway: string;
  readonly apiUrl: string;
  /** The folder that says who the site is. */
  readonly identity: string;
  /** What the API answers to an admin. */
  call(what: string, body?: object): Promise<unknown>;
  /** As the API knows it. */
  presence(): Promise<string | undefined>;
}

/** To be called once, at the top of a test file. */
export function useJoinedSite(siteId: string): JoinedTestSite {
  const api = useSiteApi();
  const identity = useFolder();
  const { temporal } = api.server;
  let gateway: Gateway;
  let address = '';
  beforeAll(async () => {
    const { cert, key } = await api.authority.issueServer();
    gateway = createGateway({
      certificate: { cert: Buffer.from(cert), key: Buffer.from(key) },
      siteCa: Buffer.from(api.siteCa.cert),
      identityOf: siteIdentityOf,
      admissions: { admits: () => true, onChange: () => () => undefined },
      temporal: connectTemporal({ address: temporal.address }),
      namespace: temporal.namespace,
      keys: new TokenKeys(TEST_KEYS),
      payloads: sitePayloadsOf(testCodec),
      log: pino({ level: 'silent' }),
    });
    const { port } = await gateway.listen('127.0.0.1', 0);
    address = `127.0.0.1:${port}`;
    const { cert: certificate, key: own } = await api.join(siteId);
    const instanceKey = api.identity.signingKey.publicKey;
    await writeIdentity(identity, { key: own, certificate, ca: api.authority.cert, instanceKey });
  });
  afterAll(() => gateway.close(0));
  return {
    temporal,
    identity,
    get gateway() {
      return address;
    },
    get apiUrl() {
      return api.url;
    },
    call: async (what, body) => (await api.call(what, { body })).json(),
    async presence() {
      const { sites } = SiteList.parse((await api.call('GET /api/sites')).json());
      return sites.find(({ id }) => id === siteId)?.presence;
    },
  };
}
