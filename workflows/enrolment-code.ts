/**
 * The code by which a site joins: `biscoe.3QF7H-…`. It names the site, holds a secret that is good once, and the digest of
 * the authority that the site is to trust, so that a site which has the code needs to know nothing else. People copy it
 * from a letter or by telephone: its letters cannot be taken for one another, and a slip is found before it is sent.
 */
import { SiteId } from './contract';

export const SECRET_BYTES = 16;
export const PIN_BYTES = 32;
const CHECK_BYTES = 2;
const GROUP = 5;

/** Without I, L, O and U (Crockford's). */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const BITS = 5;

export interface EnrolmentCode {
  siteId: string;
  /** Good once. */
  secret: Uint8Array;
  /** SHA-256 of the certificate (DER) of the authority that certifies the sites' API. */
  pin: Uint8Array;
}

/** The code as it is printed. */
export function writeCode({ siteId, secret, pin }: EnrolmentCode): string {
  const content = [...secret, ...pin];
  const letters = toLetters([...content, ...checkOf(siteId, content)]);
  const groups = letters.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? [];
  return `${siteId}.${groups.join('-')}`;
}

/** Reads a code as people write it: in any case, with or without dashes. `undefined` where it cannot be one. */
export function readCode(text: string): EnrolmentCode | undefined {
  const [name = '', groups = '', ...more] = text.replace(/\s/g, '').split('.');
  const siteId = SiteId.safeParse(name.toLowerCase());
  const bytes = fromLetters(groups);
  if (!siteId.success || more.length > 0 || bytes?.length !== SECRET_BYTES + PIN_BYTES + CHECK_BYTES)
    return undefined;
  const content = bytes.slice(0, -CHECK_BYTES);
  if (checkOf(siteId.data, content).join() !== bytes.slice(-CHECK_BYTES).join()) return undefined;
  return {
    siteId: siteId.data,
    secret: Uint8Array.from(content.slice(0, SECRET_BYTES)),
    pin: Uint8Array.from(content.slice(SECRET_BYTES)),
  };
}

function toLetters(bytes: readonly number[]): string {
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const pieces = bits.match(new RegExp(`.{1,${BITS}}`, 'g')) ?? [];
  return pieces.map((piece) => LETTERS[Number.parseInt(piece.padEnd(BITS, '0'), 2)]).join('');
}

function fromLetters(text: string): number[] | undefined {
  const letters = text.toUpperCase().replace(/-/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  const values = Array.from(letters, (letter) => LETTERS.indexOf(letter));
  if (values.includes(-1)) return undefined;
  const bits = values.map((value) => value.toString(2).padStart(BITS, '0')).join('');
  return (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
}

/** CRC-16 over the site's id and what follows: any one wrong letter changes it. */
function checkOf(siteId: string, content: readonly number[]): [number, number] {
  let crc = 0xffff;
  for (const byte of [...Array.from(siteId, (letter) => letter.charCodeAt(0)), ...content]) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return [crc >> 8, crc & 0xff];
}
