import { chmod, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IdentityError, foundIn, readIdentity, writeIdentity } from '../../client/identity-folder';
import { createTestAuthority, type TestAuthority } from '../support/certificates';
import { useFolder } from '../support/folder';

describe('the folder in which a site keeps who it is', () => {
  const folder = join(useFolder(), 'deep', 'site');
  let authority: TestAuthority;
  const newFiles = async (siteId = 'biscoe') => {
    const { cert: certificate, key } = await authority.issueSite(siteId);
    return { certificate, key, ca: authority.cert, instanceKey: 'a key' };
  };
  const at = (name: string) => join(folder, name);

  beforeAll(async () => {
    authority = await createTestAuthority();
  });
  beforeEach(() => rm(folder, { recursive: true, force: true }));

  it('is read as it was written, and its key is for its owner only', async () => {
    expect(await foundIn(folder)).toEqual([]);
    const files = await newFiles();
    await writeIdentity(folder, files);
    expect(await readIdentity(folder)).toMatchObject({ ...files, siteId: 'biscoe' });
    expect((await stat(at('site.key'))).mode & 0o777).toBe(0o600);
    expect((await foundIn(folder)).length).toBe(4);
    expect((await readdir(folder)).sort()).toEqual(['ca.crt', 'instance.pub', 'site.crt', 'site.key']);
  });

  it('has a private key also where another was readable before', async () => {
    await writeIdentity(folder, await newFiles());
    await chmod(at('site.key'), 0o644);
    const files = await newFiles();
    await writeIdentity(folder, files);
    expect((await stat(at('site.key'))).mode & 0o777).toBe(0o600);
    expect((await readIdentity(folder)).key).toBe(files.key);
  });

  it('is whole again after a crash at any moment of a renewal', async () => {
    const [before, after] = [await newFiles(), await newFiles()];
    const steps: (() => Promise<unknown>)[] = [
      () => writeFile(at('site.crt.next'), after.certificate.slice(0, 50)),
      () => writeFile(at('site.crt.next'), after.certificate),
      () => writeFile(at('site.key.next'), after.key.slice(0, 50)),
      () => writeFile(at('site.key.next'), after.key),
      () => rename(at('site.key.next'), at('site.key')),
      () => rename(at('site.crt.next'), at('site.crt')),
    ];
    for (let crash = 0; crash <= steps.length; crash += 1) {
      await writeIdentity(folder, before);
      for (const step of steps.slice(0, crash)) await step();
      const { key, certificate } = await readIdentity(folder);
      const whole = crash >= 5 ? after : before;
      expect([crash, key, certificate]).toEqual([crash, whole.key, whole.certificate]);
      expect(await readFile(at('site.crt'), 'utf8')).toBe(certificate);
      const again = await newFiles();
      await writeIdentity(folder, again);
      expect((await readIdentity(folder)).key).toBe(again.key);
    }
  });

  it('is refused where something is missing, or does not belong together', async () => {
    const problem = () => readIdentity(folder).catch((error: unknown) => String(error));
    expect(await problem()).toContain('is not there. Join with `muster site join`.');
    const files = await newFiles();
    await writeIdentity(folder, files);
    await writeFile(at('site.crt'), (await newFiles()).certificate);
    expect(await problem()).toContain(`${at('site.crt')} and the key beside it do not belong together.`);
    await rm(at('site.crt'));
    expect(await problem()).toContain(`${at('site.crt')} is not there.`);
    const server = await authority.issueServer();
    await writeIdentity(folder, { ...files, certificate: server.cert, key: server.key });
    await expect(readIdentity(folder)).rejects.toThrow(IdentityError);
    expect(await problem()).toContain('is not the certificate of a site.');
  });
});
