/**
 * A container's log as the engine sends it: frames of a header and a message, which begins with the moment when it was
 * written. By that moment following goes on where it was broken off.
 */
import type Docker from 'dockerode';
import { ask } from './engine';
import type { LogPiece } from './node-runtime';

const FRAME_HEADER = 8;
const SPACE = 0x20;

/**
 * A place in a container's log: the moment of the last message that was read, and how many of that moment were. The
 * parts of a long line have all the same moment.
 */
class Place {
  private constructor(
    private moment: string,
    private count: number,
  ) {}

  static of(cursor: string | undefined): Place {
    const [, moment = '', count = '0'] = /^(\S+) (\d+)$/.exec(cursor ?? '') ?? [];
    return new Place(moment, Number(count));
  }

  get cursor(): string {
    return `${this.moment} ${this.count}`;
  }

  /** The moment as the engine wants it to be named: seconds, with all digits of the fraction. */
  get since(): { since: string } | undefined {
    if (this.moment === '') return undefined;
    const [, fraction = '0'] = /\.(\d+)/.exec(this.moment) ?? [];
    return { since: `${Math.floor(Date.parse(this.moment) / 1000)}.${fraction}` };
  }

  /** Takes the next message that is read, unless it is one of those up to `known`. */
  take(moment: string, known: Place): boolean {
    if (moment < known.moment) return false;
    if (moment > this.moment) this.count = 0;
    // The two streams are written side by side, so that a message may be a little older than the one before.
    if (moment >= this.moment) [this.moment, this.count] = [moment, this.count + 1];
    return moment > known.moment || this.count > known.count;
  }

  /** Where the messages of the last moment are still to come. */
  begin(): Place {
    return new Place(this.moment, 0);
  }
}

/** What a container has written after `cursor` and, while it runs, what it writes until it ends. */
export async function* readContainerLog(
  container: Docker.Container,
  cursor: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<LogPiece> {
  const known = Place.of(cursor);
  const options = { stdout: true, stderr: true, timestamps: true, ...known.since, abortSignal: signal };
  // Followed also when it has ended: dockerode would read any other answer into memory as a whole.
  const chunks = await ask(container.logs({ ...options, follow: true }));
  const place = known.begin();
  for await (const messages of readFrames(chunks as AsyncIterable<Buffer>)) {
    const fresh = messages.filter(({ moment }) => place.take(moment, known));
    if (fresh.length > 0) yield { bytes: Buffer.concat(fresh.map(({ text }) => text)), cursor: place.cursor };
  }
}

interface Message {
  /** RFC 3339 with nanoseconds, always of the same length: the order of the texts is that of the moments. */
  moment: string;
  text: Buffer;
}

/** The messages in `chunks`, all that are whole at a time. */
async function* readFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Message[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const messages: Message[] = [];
    let at = 0;
    while (at + FRAME_HEADER <= bytes.length) {
      const end = at + FRAME_HEADER + bytes.readUInt32BE(at + 4);
      if (end > bytes.length) break;
      messages.push(messageOf(bytes.subarray(at + FRAME_HEADER, end)));
      at = end;
    }
    rest = bytes.subarray(at);
    yield messages;
  }
}

function messageOf(frame: Buffer): Message {
  const space = frame.indexOf(SPACE);
  return { moment: frame.toString('latin1', 0, space), text: frame.subarray(space + 1) };
}
