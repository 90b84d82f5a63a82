/** How sites call the API of a test file: another API process, in effect, at whose door they show certificates. */
import { once } from 'node:events';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { siteCertificates } from '../../server/db/schema';
import { openIdentity } from '../../server/identity/open-identity';
import { createSiteDoor } from '../../server/identity/site-door';
import { createTestAuthority, type TestAuthority } from '../support/certificates';
import type { Answer, TestServer } from './server';

export class SiteSide {
  private readonly known = new Map<string, Promise<Agent>>();

  private constructor(
    private readonly server: TestServer,
    private readonly authority: TestAuthority,
    private readonly door: Server,
  ) {}

  /** To be used as long as the server is there. */
  static async open(server: TestServer): Promise<SiteSide> {
    const authority = await createTestAuthority();
    const folder = await mkdtemp(join(tmpdir(), 'muster-test-door-'));
    const at = (name: string) => join(folder, name);
    const { cert, key } = await authority.issueServer();
    const files = { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert, 'ca.key': authority.key };
    for (const [name, pem] of Object.entries(files)) await writeFile(at(name), pem);
    const identity = await openIdentity({
      ...{ hosts: [], port: 0, url: 'https://sites.example.org', gatewayAddress: 'gateway.example.org:7410' },
      tls: { cert: at('tls.crt'), key: at('tls.key'), ca: at('ca.crt') },
      ...{ siteCa: { cert: at('ca.crt'), key: at('ca.key') }, signingKey: { keptIn: at('signing-key') } },
    });
    await rm(folder, { recursive: true });
    const app = await server.startReplica({ identity });
    const door = createSiteDoor(identity, (incoming, response) => app.routing(incoming, response));
    door.listen(0, '127.0.0.1');
    await once(door, 'listening');
    const side = new SiteSide(server, authority, door);
    server.temporal.onClose(() => side.close());
    return side;
  }

  async call(
    what: string,
    siteId: string,
    { body, headers }: { body: object | undefined; headers: Record<string, string> },
  ): Promise<Answer> {
    const [method = '', path = ''] = what.split(' ');
    const agent = this.known.get(siteId) ?? this.admit(siteId);
    this.known.set(siteId, agent);
    const { port } = this.door.address() as AddressInfo;
    const sent = Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const answer = await request(`https://127.0.0.1:${port}${path}`, {
      method: method as 'GET' | 'POST' | 'PUT' | 'DELETE',
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: sent }),
      dispatcher: await agent,
    });
    const text = await answer.body.text();
    return {
      ...{ statusCode: answer.statusCode, headers: answer.headers, body: text },
      json: () => JSON.parse(text) as never,
    };
  }

  /** Lets the site be known, as if it had joined. */
  private async admit(siteId: string): Promise<Agent> {
    const { cert, key } = await this.authority.issueSite(siteId);
    const { serialNumber, validTo } = new X509Certificate(cert);
    const moments = { issuedAt: Date.now(), notAfter: Date.parse(validTo) };
    const row = { serial: serialNumber.toLowerCase(), siteId, certificate: cert, ...moments };
    await this.server.db.insert(siteCertificates).values(row);
    return new Agent({ connect: { ca: this.authority.cert, cert, key } });
  }

  private async close(): Promise<void> {
    for (const agent of this.known.values()) await (await agent).close();
    this.door.close();
    await once(this.door, 'close');
  }
}
