import { createHash, X509Certificate } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SitesConfig } from '../../../server/config';
import { openIdentity } from '../../../server/identity/open-identity';
import { createTestAuthority, type TestAuthority } from '../../support/certificates';
import { useFolder } from '../../support/folder';

describe('what an instance shows to sites', () => {
  const folder = useFolder();
  let [right, other]: TestAuthority[] = [];

  async function configure(files: Partial<Record<'cert' | 'key' | 'ca', string>>): Promise<SitesConfig> {
    const tls = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ca: join(folder, 'tls.ca') };
    const shown = await right!.issueServer();
    for (const [name, content] of Object.entries({ ...shown, ca: right!.cert, ...files }))
      await writeFile(tls[name as keyof typeof tls], content);
    return {
      ...{
        hosts: [],
        port: 0,
        url: 'https://sites.example.org',
        gatewayAddress: 'gateway.example.org:1',
        tls,
      },
      siteCa: { keptIn: join(folder, 'site-ca') },
      signingKey: { keptIn: join(folder, 'signing-key') },
    };
  }

  beforeAll(async () => {
    [right, other] = await Promise.all([createTestAuthority('right'), createTestAuthority('other')]);
  });

  it('is made the first time, and the same from then on', async () => {
    const first = await openIdentity(await configure({}));
    const second = await openIdentity(await configure({}));
    expect(second.siteCa.certificate).toBe(first.siteCa.certificate);
    expect(second.signingKey.publicKey).toBe(first.signingKey.publicKey);
    expect(first.pin).toEqual(right!.pin);
    expect((await readdir(folder)).filter((name) => /site-ca|signing/.test(name))).toEqual([
      'signing-key',
      'site-ca',
    ]);
  });

  it('is pinned by what certifies it, among several authorities, and in a chain that has it at its end', async () => {
    const { cert, key } = await right!.issueServer();
    const files = { cert: `${cert}\n${right!.cert}`, key, ca: `${other!.cert}\n${right!.cert}` };
    expect((await openIdentity(await configure(files))).pin).toEqual(right!.pin);
  });

  it('may certify itself', async () => {
    const { cert, key } = right!;
    const { pin } = await openIdentity(await configure({ cert, key, ca: cert }));
    expect(pin).toEqual(createHash('sha256').update(new X509Certificate(cert).raw).digest());
  });

  it.each<[string, () => Record<string, string>, string]>([
    [
      'of another authority',
      () => ({ ca: other!.cert }),
      'FOLDER/tls.ca is not what FOLDER/tls.crt is certified by.',
    ],
    ['with another key', () => ({ key: other!.key }), 'FOLDER/tls.key is not the key of FOLDER/tls.crt.'],
    ['that is none', () => ({ cert: 'hello' }), 'FOLDER/tls.crt is not a certificate (PEM).'],
    ['without a key', () => ({ key: 'hello' }), 'FOLDER/tls.key is not a private key (PEM).'],
  ])('is no certificate %s', async (_what, files, message) => {
    await expect(openIdentity(await configure(files()))).rejects.toThrow(
      message.replaceAll('FOLDER', folder),
    );
  });

  it('is not made anew where a part of it is lost', async () => {
    const config = await configure({});
    const at = join(folder, 'damaged');
    await mkdir(at);
    await expect(openIdentity({ ...config, siteCa: { keptIn: at } })).rejects.toThrow(
      `${at}/ca.crt cannot be read`,
    );
  });
});
