/** What the parts of a local stack show: a certificate for this machine, by an authority made for that alone. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newAuthority } from '../certificates/authority';
import { makeOnce } from '../certificates/make-once';
import { issueServerCertificate } from '../certificates/server-certificate';
import type { StatePaths } from './state';

/** PEM files. */
export interface SiteTls {
  cert: string;
  key: string;
  ca: string;
}

/** Makes them the first time. The authority's key is not kept: nothing else is ever certified by it. */
export async function ensureSiteTls({ tls }: StatePaths): Promise<SiteTls> {
  await makeOnce(tls, async () => {
    const authority = await newAuthority('Muster stack');
    const { cert, key } = await issueServerCertificate(authority, ['localhost', '127.0.0.1', '::1']);
    return { 'ca.crt': authority.cert, 'server.crt': cert, 'server.key': key };
  });
  return siteTls({ tls });
}

/** The same for the object store, which goes by names of its own. Answers the folder. */
export async function ensureMinioTls(paths: StatePaths): Promise<string> {
  const { cert, key } = await ensureSiteTls(paths);
  const folder = paths.minioTls;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await copyFile(cert, join(folder, 'public.crt'));
  await copyFile(key, join(folder, 'private.key'));
  return folder;
}

export const siteTls = ({ tls }: Pick<StatePaths, 'tls'>): SiteTls => ({
  cert: join(tls, 'server.crt'),
  key: join(tls, 'server.key'),
  ca: join(tls, 'ca.crt'),
});
