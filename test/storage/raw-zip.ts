/** Writes zips byte by byte, so that they can say of themselves what no library would let them. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface RawEntry {
  name: string | Buffer;
  content?: Buffer;
  /** Unix mode with its type bits; a regular file unless said otherwise. */
  mode?: number;
  /** 0 stored, 8 deflated. */
  method?: number;
  flags?: number;
  /** The unpacked size that the zip claims. */
  claimedSize?: number;
}

const UTF8_NAMES = 0x800;
const MADE_BY_UNIX = (3 << 8) | 20;

/** A zip file's bytes. `claimedEntries` is what its end record says. */
export function rawZip(entries: readonly RawEntry[], claimedEntries = entries.length): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { local, central } = encode(entry, offset);
    parts.push(local);
    directory.push(central);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(claimedEntries, 8);
  end.writeUInt16LE(claimedEntries, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

function encode(entry: RawEntry, offset: number): { local: Buffer; central: Buffer } {
  const { content = Buffer.alloc(0), mode = 0o100644, method = 0, flags = UTF8_NAMES } = entry;
  const name = Buffer.isBuffer(entry.name) ? entry.name : Buffer.from(entry.name);
  const data = method === 8 ? deflateRawSync(content) : content;
  const size = entry.claimedSize ?? content.length;

  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(flags, 2);
  common.writeUInt16LE(method, 4);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(size, 18);
  common.writeUInt16LE(name.length, 22);

  const head = Buffer.alloc(4);
  head.writeUInt32LE(0x04034b50, 0);
  const start = Buffer.alloc(6);
  start.writeUInt32LE(0x02014b50, 0);
  start.writeUInt16LE(MADE_BY_UNIX, 4);
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE((mode << 16) >>> 0, 6);
  tail.writeUInt32LE(offset, 10);
  return {
    local: Buffer.concat([head, common, name, data]),
    central: Buffer.concat([start, common, tail, name]),
  };
}
