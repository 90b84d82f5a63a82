/** What people's browsers and programs show: long and random, and kept as a digest only. */
import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;
const ID_BYTES = 9;

/** Something that nobody can guess. */
export const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');
/** Names a thing; no secret. */
export const newId = (): string => randomBytes(ID_BYTES).toString('hex');
/** What is kept of a secret. It needs no salt and no slowness: it is random already. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** By which a personal token is told from others, also by who looks for leaked ones. */
export const TOKEN_PREFIX = 'muster_';
