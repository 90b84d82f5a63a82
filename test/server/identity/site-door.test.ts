/** What the address for sites shows, and how it takes up what was replaced on disk. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { openIdentity, type Identity } from '../../../server/identity/open-identity';
import { openSiteDoor } from '../../../server/identity/site-door';
import { createTestAuthority, type Certified, type TestAuthority } from '../../support/certificates';
import { useFolder } from '../../support/folder';

describe('the door for sites', () => {
  const folder = useFolder();
  const at = (name: string) => join(folder, name);
  const files = { cert: at('server.crt'), key: at('server.key'), ca: at('ca.crt') };
  const said: string[] = [];
  let authority: TestAuthority;
  let identity: Identity;
  let door: Server;

  async function replace({ cert, key }: Certified): Promise<void> {
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
  }
  /** The certificate that somebody who connects now is shown, if that is by the authority. */
  async function shown(): Promise<string> {
    const { port } = door.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', ca: authority.cert });
    await once(socket, 'secureConnect');
    const certificate = socket.getPeerX509Certificate()?.toString() ?? '';
    socket.destroy();
    return certificate;
  }
  async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await holds())) await pause(10);
  }

  beforeAll(async () => {
    authority = await createTestAuthority();
    await replace(await authority.issueServer());
    await writeFile(files.ca, authority.cert);
    identity = await openIdentity({
      ...{ hosts: ['127.0.0.1'], port: 0, url: 'https://127.0.0.1', gatewayAddress: '127.0.0.1:1' },
      ...{ tls: files, siteCa: { keptIn: at('site-ca') }, signingKey: { keptIn: at('signing-key') } },
    });
    const note = (_: unknown, line?: string) => void said.push(line ?? String(_));
    door = openSiteDoor({
      ...{ identity, files, serve: (_request, response) => response.end('here') },
      ...{ log: { info: note, warn: note }, everyMs: 10 },
    });
    door.listen(0, '127.0.0.1');
    await once(door, 'listening');
  });
  afterAll(async () => {
    door.close();
    await once(door, 'close');
  });

  it('shows another certificate soon after it was replaced, and not by half', async () => {
    const first = await shown();
    const next = await authority.issueServer();
    await writeFile(files.cert, next.cert);
    await until(() => said.includes('the new certificate cannot be used (yet)'));
    expect(await shown()).toBe(first);
    await writeFile(files.key, next.key);
    await until(async () => (await shown()) !== first);
    expect((await shown()).trim()).toBe(next.cert.trim());
  });

  it('does not show what sites do not trust', async () => {
    const before = await shown();
    said.splice(0);
    await replace(await (await createTestAuthority('Another')).issueServer());
    await until(() => said.length > 1);
    expect(await shown()).toBe(before);
    expect(said).not.toContain('sites are shown the new certificate');
  });
});
