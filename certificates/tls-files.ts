/**
 * TLS to what the centre works with, as the environment says it: which PEM files a service is known by, and which are shown to it.
 * They are read at the start of a process: it takes others after a restart.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readPem, tryTo } from './pem-files';

type Env = Readonly<Record<string, string | undefined>>;

/** A service of the centre, as the variables for it begin. */
export type Service = 'TEMPORAL' | 'DATABASE' | 'MINIO';

/** Paths of PEM files. */
export interface TlsFiles {
  /** What the service has to be certified by. */
  ca: string;
  /** What it is shown; both or none. */
  own?: { cert: string; key: string };
}

/** What is in them. */
export interface TlsMaterial {
  ca: string;
  cert?: string;
  key?: string;
}

/**
 * `<SERVICE>_TLS_CA`, `_CERT` and `_KEY`; `undefined` where the service is reached without an authority of its own. A variable
 * that is set to nothing counts as not set.
 * @param complain is told each variable that is wrong, and how
 */
export function tlsFiles(
  service: Service,
  env: Env,
  complain: (name: string, why: string) => void,
): TlsFiles | undefined {
  const name = (which: string) => `${service}_TLS_${which}`;
  const value = (which: string) => (env[name(which)] === '' ? undefined : env[name(which)]);
  const [ca, cert, key] = [value('CA'), value('CERT'), value('KEY')];
  if ((cert === undefined) !== (key === undefined)) {
    const [missing, given] = cert === undefined ? ['CERT', 'KEY'] : ['KEY', 'CERT'];
    complain(name(missing), `is not set, and ${name(given)} is: the two belong together`);
  }
  if (ca === undefined) {
    if (cert !== undefined || key !== undefined)
      complain(name('CA'), 'is not set: name the file of the authority that the service is certified by');
    return undefined;
  }
  return { ca, ...(cert !== undefined && key !== undefined && { own: { cert, key } }) };
}

/** @throws Error that names the variable and the file that cannot be used */
export async function readTlsFiles(service: Service, { ca, own }: TlsFiles): Promise<TlsMaterial> {
  const read = async (which: string, path: string, what: string, check: (pem: string) => unknown) => {
    try {
      const pem = await readPem(path);
      tryTo(path, what, () => check(pem));
      return pem;
    } catch (error) {
      throw new Error(`${service}_TLS_${which}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  };
  const certificate = (pem: string) => new X509Certificate(pem);
  const authority = read('CA', ca, 'a certificate', certificate);
  if (own === undefined) return { ca: await authority };
  const [cert, key] = await Promise.all([
    read('CERT', own.cert, 'a certificate', certificate),
    read('KEY', own.key, 'a private key', createPrivateKey),
    authority,
  ]);
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${service}_TLS_KEY: ${own.key} is not the key of ${own.cert}.`);
  return { ca: await authority, cert, key };
}

/** As Temporal's SDK takes it. */
export const forTemporalSdk = ({ ca, cert, key }: TlsMaterial) => ({
  serverRootCACertificate: Buffer.from(ca),
  ...(cert !== undefined &&
    key !== undefined && { clientCertPair: { crt: Buffer.from(cert), key: Buffer.from(key) } }),
});
