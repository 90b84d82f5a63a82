/**
 * Task tokens as sites see them. Temporal's own can be made by anybody who knows their form, so a site gets each one
 * sealed: only the gateway can open it, and only for the site it was given to. All that is needed to do so is in the
 * token and in the keys, so gateways with the same keys share the work without knowing of each other.
 */
import { KeyRing, type NamedKeys } from '../../sealing/key-ring';
import { bytesField, edit, once } from './wire';

/** Deriving keys costs more than using them: they are kept, for about as many sites as one gateway serves. */
const MOST_RINGS = 10_000;

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

/** The keys of task tokens: the first seals, every one opens, so that a key is replaced without losing a task. */
export class TokenKeys {
  private readonly rings = new Map<string, KeyRing>();

  constructor(private readonly keys: NamedKeys) {}

  seal(task: Task, holder: TokenHolder): Buffer {
    return this.ringOf(holder).seal(encodeTask(task));
  }

  /** `undefined` for whatever these keys did not seal for this holder. */
  open(sealed: Buffer, holder: TokenHolder): Task | undefined {
    const opened = this.ringOf(holder).open(sealed);
    return opened && decodeTask(opened);
  }

  /** Keys of the holder's own: random nonces then suffice for as many tasks as one site will ever have. */
  private ringOf({ siteId, namespace }: TokenHolder): KeyRing {
    const purpose = JSON.stringify(['task-token', namespace, siteId]);
    const known = this.rings.get(purpose);
    if (known) return known;
    const ring = new KeyRing(this.keys, purpose);
    if (this.rings.size === MOST_RINGS) this.rings.clear();
    this.rings.set(purpose, ring);
    return ring;
  }
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
