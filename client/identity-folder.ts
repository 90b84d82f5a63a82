/**
 * The folder in which a site keeps who it is: its key, its certificate, and whom it trusts. `muster site join` writes it, and
 * the edge worker renews key and certificate in it. Two files cannot be replaced at once; what was left half done by a crash
 * is finished by whoever reads it next.
 */
import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SiteId } from '../workflows/contract';
import { siteUri } from '../workflows/identity-contract';

export const IDENTITY_FILES = {
  key: 'site.key',
  certificate: 'site.crt',
  ca: 'ca.crt',
  instanceKey: 'instance.pub',
} as const;

/** All of them PEM. */
export type IdentityFiles = Record<keyof typeof IDENTITY_FILES, string>;

export interface SiteIdentityFiles extends IdentityFiles {
  siteId: string;
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
}

/** The folder does not say who the site is. */
export class IdentityError extends Error {}

const PRIVATE = 0o600;
const PUBLIC = 0o644;
const next = (path: string) => `${path}.next`;

/** Which of the files are there. */
export async function foundIn(folder: string): Promise<string[]> {
  const paths = Object.values(IDENTITY_FILES).map((name) => join(folder, name));
  const found = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return found.flat();
}

/** Writes what is new, in the place of what is there. */
export async function writeIdentity(folder: string, files: Partial<IdentityFiles>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const at = (name: keyof IdentityFiles) => join(folder, IDENTITY_FILES[name]);
  for (const name of ['ca', 'instanceKey'] as const)
    if (files[name] !== undefined) await replace(at(name), files[name], PUBLIC);
  if (files.key === undefined || files.certificate === undefined) return;
  // With both on disk under other names, a crash from here on loses neither.
  await write(next(at('certificate')), files.certificate, PUBLIC);
  await write(next(at('key')), files.key, PRIVATE);
  await rename(next(at('key')), at('key'));
  await rename(next(at('certificate')), at('certificate'));
}

/** @throws IdentityError */
export async function readIdentity(folder: string): Promise<SiteIdentityFiles> {
  const at = (name: keyof IdentityFiles) => join(folder, IDENTITY_FILES[name]);
  const [key, ca, instanceKey] = await Promise.all([
    read(at('key')),
    read(at('ca')),
    read(at('instanceKey')),
  ]);
  const certificate = await certificateFor(key, at('certificate'));
  const { subject, subjectAltName, validFrom, validTo } = new X509Certificate(certificate);
  const siteId = SiteId.safeParse(subject.replace(/^CN=/, ''));
  if (!siteId.success || subjectAltName !== `URI:${siteUri(siteId.data)}`)
    throw new IdentityError(`${at('certificate')} is not the certificate of a site.`);
  const [notBefore, notAfter] = [Date.parse(validFrom), Date.parse(validTo)];
  return { siteId: siteId.data, key, certificate, ca, instanceKey, notBefore, notAfter };
}

/** Whether the certificate is for the private key. Both are PEM. */
export function belongTogether(key: string, certificate: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** The certificate at `path`; or the one beside it that was about to take its place, where the key is already its own. */
async function certificateFor(key: string, path: string): Promise<string> {
  const certificate = await readFile(path, 'utf8').catch(() => '');
  if (belongTogether(key, certificate)) return certificate;
  const waiting = await readFile(next(path), 'utf8').catch(() => '');
  if (belongTogether(key, waiting)) {
    await rename(next(path), path);
    return waiting;
  }
  await read(path);
  throw new IdentityError(`${path} and the key beside it do not belong together. ${JOIN}`);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code =
      typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
    const why = code === 'ENOENT' ? `is not there. ${JOIN}` : `cannot be read (${code}).`;
    throw new IdentityError(`${path} ${why}`);
  }
}

const JOIN = 'Join with `muster site join`.';

async function replace(path: string, content: string, mode: number): Promise<void> {
  const other = `${path}.${randomUUID()}`;
  try {
    await write(other, content, mode);
    await rename(other, path);
  } finally {
    await rm(other, { force: true });
  }
}

/** The content is on disk when it is done, and nobody else could read a private one meanwhile. */
async function write(path: string, content: string, mode: number): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
