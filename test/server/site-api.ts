/** The central API as sites see it: at an address of its own, by TLS, for one test file. */
import type { FastifyInstance } from 'fastify';
import getPort from 'get-port';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCentralApi, type CentralApi } from '../../client/central-api';
import { newSiteKey } from '../../client/site-key';
import { createTransport } from '../../client/site-transport';
import type { SitesConfig } from '../../server/config';
import { openIdentity, type Identity } from '../../server/identity/open-identity';
import { createSiteDoor } from '../../server/identity/site-door';
import { SiteInvitation } from '../../workflows/identity-contract';
import { createTestAuthority, type Certified, type TestAuthority } from '../support/certificates';
import { useFolder } from '../support/folder';
import type { DatabaseKind } from './databases';
import {
  admin,
  callOn,
  useServer,
  type Answer,
  type Bearer,
  type TestServer,
  type TokenCall,
} from './server';

export const GATEWAY = 'gateway.example.org:7234';

export interface TestSiteApi {
  readonly server: TestServer;
  readonly app: FastifyInstance;
  readonly url: string;
  readonly identity: Identity;
  /** What the address for sites is certified by. */
  readonly authority: TestAuthority;
  /** The authority that certifies the sites. */
  readonly siteCa: TestAuthority;
  /** What the API answers at its ordinary address. */
  call(what: string, call?: TokenCall): Promise<Answer>;
  /** A code for the site. */
  invite(siteId: string, as?: Bearer): Promise<SiteInvitation>;
  /** A site that has joined. */
  join(siteId: string): Promise<Certified>;
  /** The API as whoever shows this certificate sees it. */
  as(certified?: Certified): CentralApi;
}

/** To be called at the top of a `describe`. */
export function useSiteApi(kind: DatabaseKind = 'embedded'): TestSiteApi {
  const server = useServer(kind);
  const api = new SiteApi(server, useFolder());
  beforeAll(() => api.open());
  afterAll(() => api.close());
  return api;
}

class SiteApi implements TestSiteApi {
  app!: FastifyInstance;
  identity!: Identity;
  authority!: TestAuthority;
  siteCa!: TestAuthority;
  url = '';
  private closing: (() => Promise<unknown>)[] = [];

  constructor(
    readonly server: TestServer,
    private readonly folder: string,
  ) {}

  async open(): Promise<void> {
    const port = await getPort({ host: '127.0.0.1' });
    this.url = `https://127.0.0.1:${port}`;
    this.authority = await createTestAuthority('What sites trust');
    this.siteCa = await createTestAuthority('What certifies sites');
    this.identity = await openIdentity(await this.config(port));
    this.app = await this.server.startReplica({ identity: this.identity });
    const door = createSiteDoor(this.identity, (request, response) => this.app.routing(request, response));
    door.listen(port, '127.0.0.1');
    await once(door, 'listening');
    this.closing.push(() => {
      door.closeAllConnections();
      return new Promise((resolve) => door.close(resolve));
    });
  }

  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
  }

  call(what: string, { as = admin, body, headers = {} }: TokenCall = {}) {
    return callOn(this.app, what, { as, body, headers });
  }

  async invite(siteId: string, as: Bearer = admin): Promise<SiteInvitation> {
    return SiteInvitation.parse((await this.call('POST /api/sites', { as, body: { id: siteId } })).json());
  }

  async join(siteId: string): Promise<Certified> {
    const { code } = await this.invite(siteId);
    const { key, csr } = await newSiteKey(siteId);
    const { certificate } = await this.as().joinSite(siteId, { code, csr });
    return { cert: certificate, key };
  }

  as(certified?: Certified): CentralApi {
    const { fetch, close } = createTransport(this.url, { ca: this.authority.cert, ...certified }, {});
    this.closing.push(close);
    return createCentralApi({ url: this.url, fetch });
  }

  private async config(port: number): Promise<SitesConfig> {
    const shown = await this.authority.issueServer();
    const files = {
      ...{ 'tls.crt': shown.cert, 'tls.key': shown.key, 'tls.ca': this.authority.cert },
      ...{ 'site-ca.crt': this.siteCa.cert, 'site-ca.key': this.siteCa.key },
    };
    const at = (name: string) => join(this.folder, name);
    for (const [name, content] of Object.entries(files)) await writeFile(at(name), content);
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(at('signing.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return {
      ...{ hosts: ['127.0.0.1'], port, url: this.url, gatewayAddress: GATEWAY },
      tls: { cert: at('tls.crt'), key: at('tls.key'), ca: at('tls.ca') },
      siteCa: { cert: at('site-ca.crt'), key: at('site-ca.key') },
      signingKey: { key: at('signing.key') },
    };
  }
}
