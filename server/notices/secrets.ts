/** The secrets by which webhooks are signed (Standard Webhooks), as they lie in the database: sealed, each to its receiver. */
import { and, eq, isNotNull, sql } from 'drizzle-orm';
import { randomBytes } from 'node:crypto';
import { headOf, KeyRing, type NamedKeys } from '../../sealing/key-ring';
import type { Database } from '../db/client';
import { notices } from '../db/schema';
import { HttpProblem } from '../problem';

const SECRET_BYTES = 32;

/** A receiver, by what it is called. */
export interface NoticeRef {
  consortiumId: string;
  id: string;
}

export interface NoticeSecrets {
  /** A new secret, in the form that libraries of Standard Webhooks take. */
  make(): string;
  seal(secret: string, of: NoticeRef): string;
  /** @throws HttpProblem `key-missing` */
  open(sealed: string, of: NoticeRef): string;
  /** Seals by the key of today what another key sealed; answers how many stay as they are, for want of the key. */
  reseal(db: Database): Promise<number>;
}

/** @param keys the first seals, every one opens */
export function createNoticeSecrets(keys: NamedKeys): NoticeSecrets {
  const ring = new KeyRing(keys, 'notice-secret');
  const bound = ({ consortiumId, id }: NoticeRef) => `${consortiumId} ${id}`;
  const seal = (secret: string, of: NoticeRef) => ring.seal(Buffer.from(secret), bound(of)).toString('hex');
  const tryOpen = (sealed: string, of: NoticeRef) =>
    ring.open(Buffer.from(sealed, 'hex'), bound(of))?.toString();
  return {
    make: () => `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`,
    seal,
    open(sealed, of) {
      const secret = tryOpen(sealed, of);
      if (secret !== undefined) return secret;
      throw new HttpProblem(
        'key-missing',
        `The secret of the webhook ${of.id} was sealed by a key that MUSTER_PAYLOAD_KEYS no longer lists.`,
      );
    },
    async reseal(db) {
      let left = 0;
      const outdated = and(
        isNotNull(notices.sealedSecret),
        sql`not starts_with(${notices.sealedSecret}, ${headOf(keys[0]).toString('hex')})`,
      );
      for (const { consortiumId, id, sealedSecret } of await db.select().from(notices).where(outdated)) {
        const secret = sealedSecret === null ? undefined : tryOpen(sealedSecret, { consortiumId, id });
        if (secret === undefined) left++;
        else
          await db
            .update(notices)
            .set({ sealedSecret: seal(secret, { consortiumId, id }) })
            .where(and(eq(notices.consortiumId, consortiumId), eq(notices.id, id), outdated));
      }
      return left;
    },
  };
}
