/**
 * Task tokens as sites see them. Temporal's own can be made by anybody who knows their form, so a site gets each one
 * sealed: only the gateway can open it, and only for the site it was given to. All that is needed to do so is in the
 * token and in the keys, so gateways with the same keys share the work without knowing of each other.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { bytesField, edit, once } from './wire';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 1;
/** Deriving a key costs more than using it: they are kept, for about as many sites as one gateway serves. */
const MOST_DERIVED = 10_000;

/** Whom a token is for. */
export interface TokenHolder {
  siteId: string;
  namespace: string;
}

/** A task as a poll answered it: Temporal's token, and what the audit says of it. */
export interface Task {
  token: Buffer;
  workflowId: string;
  executionId: string;
  activity: string;
  activityId: string;
  attempt: string;
}

export interface TokenKey {
  /** Travels with the token; letters, digits, `_` and `-`. */
  id: string;
  /** 32 bytes. */
  secret: Buffer;
}

/** The keys of task tokens: the first seals, every one opens, so that a key is replaced without losing a task. */
export class TokenKeys {
  private readonly sealing: TokenKey;
  private readonly byId: ReadonlyMap<string, TokenKey>;
  private readonly derived = new Map<string, KeyObject>();

  constructor(keys: readonly [TokenKey, ...TokenKey[]]) {
    [this.sealing] = keys;
    this.byId = new Map(keys.map((key) => [key.id, key]));
  }

  seal(task: Task, holder: TokenHolder): Buffer {
    const key = this.sealing;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.keyFor(key, holder), nonce).setAAD(bound(key, holder));
    const sealed = [cipher.update(encodeTask(task)), cipher.final()];
    const head = [Buffer.from([VERSION, key.id.length]), Buffer.from(key.id, 'latin1')];
    return Buffer.concat([...head, nonce, ...sealed, cipher.getAuthTag()]);
  }

  /** `undefined` for whatever this ring did not seal for this holder. */
  open(sealed: Buffer, holder: TokenHolder): Task | undefined {
    const idEnd = 2 + (sealed[1] ?? 0);
    const key = this.byId.get(sealed.toString('latin1', 2, idEnd));
    const nonceEnd = idEnd + NONCE_BYTES;
    const tagStart = sealed.length - TAG_BYTES;
    if (sealed[0] !== VERSION || !key || tagStart < nonceEnd) return undefined;
    try {
      const decipher = createDecipheriv(CIPHER, this.keyFor(key, holder), sealed.subarray(idEnd, nonceEnd), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(bound(key, holder)).setAuthTag(sealed.subarray(tagStart));
      const opened = [decipher.update(sealed.subarray(nonceEnd, tagStart)), decipher.final()];
      return decodeTask(Buffer.concat(opened));
    } catch {
      return undefined;
    }
  }

  /** A key of the holder's own: random nonces then suffice for as many tasks as one site will ever have. */
  private keyFor({ id, secret }: TokenKey, { siteId, namespace }: TokenHolder): KeyObject {
    const purpose = JSON.stringify(['task-token', namespace, siteId]);
    const name = id + purpose;
    const known = this.derived.get(name);
    if (known) return known;
    const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', purpose, KEY_BYTES)));
    if (this.derived.size === MOST_DERIVED) this.derived.clear();
    this.derived.set(name, key);
    return key;
  }
}

function bound({ id }: TokenKey, { siteId, namespace }: TokenHolder): Buffer {
  return Buffer.from(JSON.stringify([VERSION, id, namespace, siteId]));
}

function encodeTask({ token, ...texts }: Task): Buffer {
  const { workflowId, executionId, activity, activityId, attempt } = texts;
  const fields = [workflowId, executionId, activity, activityId, attempt];
  return Buffer.concat([
    bytesField(1, token),
    ...fields.map((text, index) => bytesField(index + 2, Buffer.from(text))),
  ]);
}

function decodeTask(encoded: Buffer): Task {
  const parts: Buffer[] = [];
  const read = (index: number) => once((content) => (parts[index] = content ?? Buffer.alloc(0)));
  edit(encoded, { 1: read(0), 2: read(1), 3: read(2), 4: read(3), 5: read(4), 6: read(5) });
  const [token = Buffer.alloc(0), ...texts] = parts;
  const [workflowId = '', executionId = '', activity = '', activityId = '', attempt = ''] = texts.map(String);
  return { token, workflowId, executionId, activity, activityId, attempt };
}
