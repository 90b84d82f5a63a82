/**
 * Sealing with keys that are replaced now and then. What is sealed says which key it needs, so an old key is kept for as
 * long as something sealed by it is to be read, and nothing has to be sealed anew.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { z } from 'zod';

const CIPHER = 'aes-256-gcm';
const SECRET_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 1;
const HOW_TO_MAKE_ONE = "make one with `node -p \"'k1:' + crypto.randomBytes(32).toString('base64url')\"`";

export interface NamedKey {
  /** Travels with what is sealed; at most 32 letters, digits, `_` and `-`. */
  id: string;
  /** 32 bytes. */
  secret: Buffer;
}

/** As settings name them: the key that seals, then those that only open. */
export type NamedKeys = readonly [NamedKey, ...NamedKey[]];

/** A setting that holds keys: `id:key`, the key as base64url, a comma between several. */
export const KeyRingText = z
  .string(`is not set: ${HOW_TO_MAKE_ONE}`)
  .transform((list, context): [NamedKey, ...NamedKey[]] => {
    const [first, ...others] = list.split(',').map((entry) => readKey(entry.trim()));
    const keys = [first, ...others].filter((key) => key !== undefined);
    const ids = new Set(keys.map(({ id }) => id));
    if (first && ids.size === others.length + 1) return [first, ...keys.slice(1)];
    context.addIssue(
      `must be id:key, a comma between several, each id once; the first is used from now on: ${HOW_TO_MAKE_ONE}`,
    );
    return z.NEVER;
  });

function readKey(entry: string): NamedKey | undefined {
  const [, id, encoded] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]{43})$/.exec(entry) ?? [];
  if (id === undefined || encoded === undefined) return undefined;
  return { id, secret: Buffer.from(encoded, 'base64url') };
}

interface Key {
  /** Stands in front of what the key sealed: version, length of the id, id. */
  head: Buffer;
  derived: KeyObject;
}

/**
 * Keys for one purpose: the first seals, every one opens. Nonces are random, so one key of one purpose is good for some
 * 2^32 pieces.
 */
export class KeyRing {
  private readonly sealing: Key;
  private readonly byId: ReadonlyMap<string, Key>;

  /** @param purpose what is sealed for one cannot be opened for another, although the secrets are the same */
  constructor(keys: NamedKeys, purpose: string) {
    const [first, ...others] = keys;
    this.sealing = deriveKey(first, purpose);
    this.byId = new Map([
      [first.id, this.sealing],
      ...others.map((key) => [key.id, deriveKey(key, purpose)] as const),
    ]);
  }

  /** @param bound what it belongs to; it opens only together with the same */
  seal(plain: Uint8Array, bound = ''): Buffer {
    const { head, derived } = this.sealing;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, derived, nonce).setAAD(additional(head, bound));
    return Buffer.concat([head, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** `undefined` for whatever this ring did not seal, for this purpose and together with `bound`. */
  open(sealed: Uint8Array, bound = ''): Buffer | undefined {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    const key = this.byId.get(keyIdOf(bytes) ?? '');
    if (!key) return undefined;
    const nonceEnd = key.head.length + NONCE_BYTES;
    const tagStart = bytes.length - TAG_BYTES;
    if (tagStart < nonceEnd) return undefined;
    try {
      const decipher = createDecipheriv(CIPHER, key.derived, bytes.subarray(key.head.length, nonceEnd), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(additional(key.head, bound)).setAuthTag(bytes.subarray(tagStart));
      return Buffer.concat([decipher.update(bytes.subarray(nonceEnd, tagStart)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}

/** The key that something names as its own; `undefined` if it does not have the form of what a ring seals. */
export function keyIdOf(sealed: Uint8Array): string | undefined {
  const [version, length = 0] = sealed;
  const id = Buffer.from(sealed.subarray(2, 2 + length)).toString('latin1');
  return version === VERSION && id.length === length && length > 0 ? id : undefined;
}

/** How everything begins that this key sealed. */
export function headOf({ id }: Pick<NamedKey, 'id'>): Buffer {
  return Buffer.concat([Buffer.from([VERSION, id.length]), Buffer.from(id, 'latin1')]);
}

function deriveKey({ id, secret }: NamedKey, purpose: string): Key {
  return {
    head: headOf({ id }),
    derived: createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', purpose, SECRET_BYTES))),
  };
}

/** The head says where it ends, so no two pairs have the same bytes. */
function additional(head: Buffer, bound: string): Buffer {
  return Buffer.concat([head, Buffer.from(bound)]);
}
