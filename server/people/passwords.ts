/** Passwords: kept as scrypt makes of them, with what it was given beside, so that it can be given more later. */
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';

/** 32 MiB and a tenth of a second or so, three times over. */
const COST = { N: 2 ** 15, r: 8, p: 3 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Twice what is needed: the limit of Node is below. */
const MAX_MEMORY = 2 ** 27;
/** It keeps the threads busy that files and names are looked up in, too. */
const AT_ONCE = 2;

export interface Passwords {
  /** What is kept of a password. */
  keep(password: string): Promise<string>;
  /** Whether it is the one of which `kept` was made. Takes as long where nothing is kept, and then it is not. */
  fits(password: string, kept: string | null): Promise<boolean>;
}

export function createPasswords(): Passwords {
  const waiting: (() => void)[] = [];
  let busy = 0;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (busy >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else busy--;
    }
  }

  return {
    async keep(password) {
      const salt = randomBytes(SALT_BYTES);
      const key = await inTurn(() => derive(password, salt, COST));
      const { N, r, p } = COST;
      return ['scrypt', N, r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
    },
    async fits(password, kept) {
      const [kind, N, r, p, salt = '', key = ''] = (kept ?? NOTHING).split('$');
      if (kind !== 'scrypt') throw new Error('a password is kept in a form that is not known');
      const cost = { N: Number(N), r: Number(r), p: Number(p) };
      const made = await inTurn(() => derive(password, Buffer.from(salt, 'base64url'), cost));
      const expected = Buffer.from(key, 'base64url');
      return kept !== null && made.length === expected.length && timingSafeEqual(made, expected);
    },
  };
}

/** What is compared where nothing is kept. */
const NOTHING = ['scrypt', COST.N, COST.r, COST.p, 'AAAAAAAAAAAAAAAAAAAAAA', ''].join('$');

/** The same letters can be written in several ways; a keyboard chooses one. */
function derive(password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, { ...cost, maxmem: MAX_MEMORY }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
