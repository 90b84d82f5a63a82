/**
 * A kit as it lies in the object store: its zip, sealed by AES-256-GCM with a key that is of this kit alone, and the tag
 * behind it. One key seals one zip, so the nonce is always the same, and packing the same folder once more with its key gives
 * the same bytes.
 */
import { createCipheriv, createDecipheriv, randomBytes, type CipherGCM } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { failure } from '../workflows/errors';
import { isOfThisMachine } from './reason';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE = Buffer.alloc(12);

/** What a sealed kit has more than its zip. */
export const TAG_BYTES = 16;

export const newContentKey = (): Buffer => randomBytes(KEY_BYTES);

/** Seals what passes through it. */
export class SealStream extends Transform {
  readonly #cipher: CipherGCM;

  constructor(key: Buffer) {
    super();
    this.#cipher = createCipheriv(CIPHER, key, NONCE);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    done(null, this.#cipher.update(chunk));
  }

  override _flush(done: TransformCallback): void {
    done(null, Buffer.concat([this.#cipher.final(), this.#cipher.getAuthTag()]));
  }
}

/**
 * Opens the sealed kit `file` into `zipFile` (0600), streaming; it is there only when all of it is what was sealed.
 * @throws ApplicationFailure `KitBroken` when the key is another one, or the kit was changed
 */
export async function openKit(file: string, key: Buffer, zipFile: string): Promise<void> {
  const partial = `${zipFile}.part`;
  try {
    await rm(partial, { force: true });
    const { tag, end } = await readTag(file);
    const decipher = createDecipheriv(CIPHER, key, NONCE).setAuthTag(tag);
    const target = (await open(partial, 'wx', 0o600)).createWriteStream();
    await pipeline(createReadStream(file, { end }), decipher, target);
    await rename(partial, zipFile);
  } catch (error) {
    await rm(partial, { force: true });
    if (isOfThisMachine(error)) throw error;
    throw failure('KitBroken', 'The kit cannot be opened: it was sealed with another key, or changed since.');
  }
}

/** The tag, and the last byte of what stands before it. */
async function readTag(file: string): Promise<{ tag: Buffer; end: number }> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size <= TAG_BYTES) throw new Error('too short');
    const tag = Buffer.alloc(TAG_BYTES);
    await handle.read(tag, 0, TAG_BYTES, size - TAG_BYTES);
    return { tag, end: size - TAG_BYTES - 1 };
  } finally {
    await handle.close();
  }
}
