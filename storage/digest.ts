/** What a file's bytes are: their sha256 and how many there are. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform, Writable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface Digest {
  /** Lower-case hex. */
  sha256: string;
  /** Bytes. */
  size: number;
}

/** Passes bytes on unchanged; {@link DigestStream.digest} tells what they were, once the stream has ended. */
export class DigestStream extends Transform {
  readonly #hash = createHash('sha256');
  #size = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    done(null, chunk);
  }

  /** To be called once. */
  digest(): Digest {
    return { sha256: this.#hash.digest('hex'), size: this.#size };
  }
}

/** The digest of a file, read as a stream. */
export async function digestFile(path: string): Promise<Digest> {
  const digest = new DigestStream();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  await pipeline(createReadStream(path), digest, nowhere);
  return digest.digest();
}

/** The digest of bytes in memory. */
export function digestBytes(bytes: Buffer): Digest {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
}
