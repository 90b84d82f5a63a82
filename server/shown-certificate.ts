/** The certificate that a server shows to sites: one that was replaced on disk is shown soon after, without a restart. */
import type { FastifyBaseLogger } from 'fastify';
import { readPem } from '../certificates/pem-files';

const REREAD_MS = 60_000;

/** PEM. */
export interface ShownCertificate {
  cert: string;
  key: string;
}

/** @param files their paths. @throws Error that names the file that cannot be read */
export async function readCertificate(files: { cert: string; key: string }): Promise<ShownCertificate> {
  const [cert, key] = await Promise.all([readPem(files.cert), readPem(files.key)]);
  return { cert, key };
}

export interface Showing {
  /** Paths. */
  files: { cert: string; key: string };
  shown: ShownCertificate;
  /** Shows another one from now on. @throws Error if it cannot be used */
  show: (certificate: ShownCertificate) => void;
  log: Pick<FastifyBaseLogger, 'info' | 'warn'>;
  everyMs?: number;
}

/** Looks for another certificate again and again; holds no process up. Answers how to stop it. */
export function showRenewed({ files, shown, show, log, everyMs = REREAD_MS }: Showing): () => void {
  const look = async () => {
    try {
      const current = await readCertificate(files);
      if (current.cert === shown.cert && current.key === shown.key) return;
      show(current);
      shown = current;
      log.info('sites are shown the new certificate');
    } catch (err) {
      // Caught half-way, the pair may not fit: the next look will find it whole.
      log.warn({ err }, 'the new certificate cannot be used (yet)');
    }
  };
  const looking = setInterval(() => void look(), everyMs).unref();
  return () => clearInterval(looking);
}
