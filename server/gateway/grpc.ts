/** gRPC as it looks on an HTTP/2 stream: messages, time limits, statuses. Pure. */
import { gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { errorCode } from '../../storage/reason';
import { CallFailure, Refusal } from './refusal';

/** A message begins with a byte that says whether it is compressed, and four of its length. */
const PREFIX_BYTES = 5;
/** Smaller messages do not gain by compression. */
const WORTH_COMPRESSING = 1024;
const MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
export const ENCODINGS = 'identity,gzip,deflate';

/** How the call ends. */
export type Answer =
  | { code: status.OK; body: Buffer }
  | {
      code: status;
      message: string;
      /** An encoded `google.rpc.Status`, as Temporal sent it. */
      details?: Buffer | undefined;
    };

/**
 * The time limit a caller sets, in milliseconds; `undefined` if it sets none.
 * @throws Refusal
 */
export function timeoutOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(header) ?? [];
  const unitMs = MS[unit];
  if (unitMs === undefined) throw new Refusal('malformed', 'grpc-timeout cannot be read');
  return Number(digits) * unitMs;
}

/** Puts one request together from the pieces in which it arrives. */
export class RequestReader {
  private buffer: Buffer = Buffer.alloc(0);
  private received = 0;

  constructor(
    private readonly encoding: string,
    private readonly mostBytes: number,
  ) {
    if (!ENCODINGS.split(',').includes(encoding))
      throw new CallFailure(status.UNIMPLEMENTED, `messages may be encoded as ${ENCODINGS}`);
  }

  /** @throws Refusal as soon as it is clear that the request is too large */
  add(piece: Buffer): void {
    this.received += piece.length;
    this.append(piece);
    if (this.received < PREFIX_BYTES) return;
    const announced = this.buffer.readUInt32BE(1);
    if (announced > this.mostBytes) throw tooLarge(announced, this.mostBytes);
    if (this.received > PREFIX_BYTES + announced)
      throw new Refusal('malformed', 'a call carries one message');
  }

  /**
   * The message, once all of it is here.
   * @throws Refusal
   */
  message(): Buffer {
    const all = this.buffer.subarray(0, this.received);
    if (all.length < PREFIX_BYTES || all.length !== PREFIX_BYTES + all.readUInt32BE(1))
      throw new Refusal('malformed', 'the message is cut off');
    const message = all.subarray(PREFIX_BYTES);
    if (all[0] === 0) return message;
    if (all[0] !== 1 || this.encoding === 'identity')
      throw new Refusal('malformed', 'the message is compressed in no known way');
    return this.unpack(message);
  }

  /** Into one buffer that grows with what is really here: not with what is announced, nor by the number of pieces. */
  private append(piece: Buffer): void {
    if (this.received === piece.length) {
      this.buffer = piece;
      return;
    }
    if (this.received > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.received, 2 * this.buffer.length));
      this.buffer.copy(larger);
      this.buffer = larger;
    }
    piece.copy(this.buffer, this.received - piece.length);
  }

  /** At once and not on another thread: messages are small and a thread's turn costs more. */
  private unpack(message: Buffer): Buffer {
    const unpack = this.encoding === 'gzip' ? gunzipSync : inflateSync;
    try {
      return unpack(message, { maxOutputLength: Math.max(1, this.mostBytes) });
    } catch (error) {
      if (errorCode(error) === 'ERR_BUFFER_TOO_LARGE')
        throw tooLarge(`more than ${this.mostBytes}`, this.mostBytes);
      throw new Refusal('malformed', 'the message cannot be decompressed');
    }
  }
}

/** In Temporal's own words: by them the SDK knows that trying again is no use. */
function tooLarge(size: number | string, most: number): Refusal {
  return new Refusal('too-large', `grpc: received message larger than max (${size} vs. ${most})`);
}

/** A message as it is sent. */
export function framed(body: Buffer, acceptsGzip: boolean): { frame: Buffer; encoding: 'gzip' | 'identity' } {
  const packs = acceptsGzip && body.length >= WORTH_COMPRESSING;
  const content = packs ? gzipSync(body, { level: 1 }) : body;
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix[0] = packs ? 1 : 0;
  prefix.writeUInt32BE(content.length, 1);
  return { frame: Buffer.concat([prefix, content]), encoding: packs ? 'gzip' : 'identity' };
}

/** The trailers that end a call. */
export function trailersOf(answer: Answer): Record<string, string> {
  if ('body' in answer) return { 'grpc-status': '0' };
  return {
    'grpc-status': String(answer.code),
    'grpc-message': percentEncoded(answer.message),
    ...(answer.details && {
      'grpc-status-details-bin': answer.details.toString('base64').replace(/=+$/, ''),
    }),
  };
}

/** Printable ASCII stays as it is, but for the percent sign. */
function percentEncoded(text: string): string {
  return Buffer.from(text)
    .reduce((parts: string[], byte) => {
      const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
      parts.push(plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);
      return parts;
    }, [])
    .join('');
}
