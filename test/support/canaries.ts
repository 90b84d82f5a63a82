/**
 * Looks for secrets in bytes that somebody might get hold of: as they are, in the ways in which they may be written, and
 * inside what is compressed. A secret is looked for by its pieces too, for a database may cut it at the end of a page.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { constants, inflateRawSync } from 'node:zlib';

export interface Canary {
  name: string;
  value: string | Uint8Array;
}

/** So many bytes of a secret nobody hits by chance. */
const PIECE = 16;
const KEY_BYTES = 4;
const MAX_INFLATED = 64 * 2 ** 20;
const MAX_DEPTH = 3;
const MAX_DEFLATED = 16 * 2 ** 20;
const MAX_HEAD = 2 ** 17;

interface Pattern {
  name: string;
  bytes: Buffer;
}

export class CanarySearch {
  /** By the first bytes, and which two bytes any of them begins with. */
  private readonly patterns = new Map<number, Pattern[]>();
  private readonly begins = new Uint8Array(2 ** 16);

  constructor(canaries: readonly Canary[]) {
    for (const { name, value } of canaries) {
      if (value.length < 8) throw new Error(`${name} is too short to be looked for`);
      for (const piece of piecesOf(Buffer.from(value)))
        for (const bytes of formsOf(piece)) this.add({ name, bytes });
    }
  }

  private add(pattern: Pattern): void {
    const key = pattern.bytes.readUInt32LE();
    this.begins[pattern.bytes.readUInt16LE()] = 1;
    this.patterns.set(key, [...(this.patterns.get(key) ?? []), pattern]);
  }

  /** The names of those that are in the bytes. */
  in(bytes: Buffer, depth = 0): Set<string> {
    const found = new Set<string>();
    for (let at = 0; at + KEY_BYTES <= bytes.length; at++) {
      if (this.begins[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] === 0) continue;
      for (const { name, bytes: wanted } of this.patterns.get(bytes.readUInt32LE(at)) ?? [])
        if (bytes.subarray(at, at + wanted.length).equals(wanted)) found.add(name);
    }
    if (depth < MAX_DEPTH)
      for (const inner of inflated(bytes)) for (const name of this.in(inner, depth + 1)) found.add(name);
    return found;
  }

  /** `name in file` of all that is below the folders, the names of files included. */
  async inFolders(folders: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    for (const folder of folders) {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      if (entries.length === 0) throw new Error(`there is nothing in ${folder}`);
      for (const entry of entries) {
        const path = join(entry.parentPath, entry.name);
        // Of a store at work, files come and go.
        const content = entry.isFile() ? await readFile(path).catch(() => Buffer.alloc(0)) : Buffer.alloc(0);
        const name = relative(folder, path);
        for (const canary of this.in(Buffer.concat([Buffer.from(`${name}\0`), content])))
          found.push(`${canary} in ${path}`);
      }
    }
    return found;
  }
}

/** Overlapping, so that of what is cut in two at least one piece is whole. */
function piecesOf(secret: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at === 0 || at + PIECE <= secret.length; at += PIECE / 2)
    pieces.push(secret.subarray(at, at + PIECE));
  return pieces;
}

function formsOf(piece: Buffer): Buffer[] {
  const utf16 = Buffer.from(piece.toString('latin1'), 'utf16le');
  const hex = piece.toString('hex');
  const base64 = [0, 1, 2].map((offset) => base64At(piece, offset));
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const texts = new Set([hex, hex.toUpperCase(), ...base64, ...base64url]);
  return [piece, utf16, Buffer.from(utf16).swap16(), ...[...texts].map((text) => Buffer.from(text))];
}

/** The letters that say this piece alone, where so many bytes stand before it. */
function base64At(piece: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), piece]).toString('base64');
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + piece.length) * 8) / 6));
}

/** What can be inflated: gzip members, zlib streams, and the files in zips. */
function* inflated(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + 2 < bytes.length; at++) {
    const head = headLength(bytes.subarray(at, at + MAX_HEAD));
    const inner =
      head === undefined ? undefined : inflate(bytes.subarray(at + head, at + head + MAX_DEFLATED));
    if (inner !== undefined && inner.length > 0) yield inner;
  }
}

/** How many bytes stand before what is deflated; `undefined` where nothing begins here that is. */
function headLength(bytes: Buffer): number | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8) return gzipHeadLength(bytes);
  if (bytes[0] === 0x78 && bytes.length > 2 && bytes.readUInt16BE() % 31 === 0) return 2;
  const isZip = bytes[0] === 0x50 && bytes.length > 30 && bytes.readUInt32LE() === 0x04034b50;
  return isZip && bytes.readUInt16LE(8) === 8
    ? 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28)
    : undefined;
}

function gzipHeadLength(bytes: Buffer): number {
  const flags = bytes[3] ?? 0;
  let length = 10;
  if (flags & 4) length += 2 + (bytes[length] ?? 0) + ((bytes[length + 1] ?? 0) << 8);
  for (const text of [8, 16]) if (flags & text) length = bytes.indexOf(0, length) + 1;
  return flags & 2 ? length + 2 : length;
}

/** What follows the end of the stream is left alone, and a stream that ends too early gives what there is. */
function inflate(bytes: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_INFLATED });
  } catch {
    return undefined;
  }
}
