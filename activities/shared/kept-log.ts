/**
 * A node's log as a host keeps it: one gzip file that is written member by member, and a small file that says how far it
 * is right, how far it was read at the node and how far it was sent. After a crash it is cut back and goes on from there.
 */
import { constants } from 'node:fs';
import { mkdir, open, readFile, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { errorCode } from '../../nodes/error-code';
import { MAX_LOG_PART_BYTES, MAX_LOG_PART_TEXT } from '../../workflows/api-contract';
import { writeWhole } from './write-whole';

const compress = promisify(gzip);

/** So much text of one node is kept. */
const MAX_TEXT = 256 * 2 ** 20;
const CUT_OFF = '\n[muster] The log is longer than 256 MiB: what follows is not kept.\n';
/** A log is compressed while the computation works: quickly matters more than small. */
const LEVEL = 3;

const State = z.strictObject({
  /** Bytes of the file that are right: whole members, and on disk. */
  length: z.int(),
  /** Bytes of text in them. */
  text: z.int(),
  /** Where the node's output goes on. */
  cursor: z.string().optional(),
  /** Bytes that the central API has. */
  sent: z.int(),
  /** In how many parts. */
  parts: z.int(),
  /** Ends of the parts that are as large as a part may be, and the text since the last. */
  cuts: z.array(z.int()),
  textSinceCut: z.int(),
});
type State = z.output<typeof State>;

const NOTHING: State = { length: 0, text: 0, sent: 0, parts: 0, cuts: [], textSinceCut: 0 };

export interface LogPart {
  start: number;
  end: number;
}

export class KeptLog {
  private saving = Promise.resolve();

  private constructor(
    private readonly file: FileHandle,
    private readonly stateFile: string,
    private state: State,
    private readonly limit: number,
  ) {}

  /**
   * Opens the log or begins it. `undefined`: it was kept to its end, and what was known of it is gone.
   * @param stateFile in a folder that is there as long as the launch
   */
  static async open(path: string, stateFile: string, limit = MAX_TEXT): Promise<KeptLog | undefined> {
    const known = await readState(stateFile);
    if (known === undefined) {
      if (await isThere(path)) return undefined;
      await mkdir(dirname(path), { recursive: true });
      await writeWhole(stateFile, JSON.stringify(NOTHING));
    }
    const state = known ?? NOTHING;
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      if ((await file.stat()).size < state.length) throw new Error(`${path} is shorter than it was`);
      await file.truncate(state.length);
      return new KeptLog(file, stateFile, state, limit);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get cursor(): string | undefined {
    return this.state.cursor;
  }

  /** Nothing more is kept. */
  isFull(): boolean {
    return this.state.text >= this.limit;
  }

  /** How many parts were sent. */
  get parts(): number {
    return this.state.parts;
  }

  /** Adds what the node has said, and where its output goes on. */
  async append(said: Buffer, cursor: string): Promise<void> {
    const room = this.limit - this.state.text;
    if (room <= 0) return;
    const text = said.length < room ? said : Buffer.concat([said.subarray(0, room), Buffer.from(CUT_OFF)]);
    const member = await compress(text, { level: LEVEL });
    const { bytesWritten } = await this.file.write(member, 0, member.length, this.state.length);
    if (bytesWritten < member.length) throw new Error('there is no space left for the log');
    // On disk before it is said to be: what was sent must never change.
    await this.file.datasync();
    const { length, cuts, textSinceCut } = this.state;
    const isOver =
      length + member.length - (cuts.at(-1) ?? 0) > MAX_LOG_PART_BYTES ||
      textSinceCut + text.length > MAX_LOG_PART_TEXT;
    this.state = {
      ...this.state,
      cursor,
      length: length + member.length,
      text: this.state.text + text.length,
      cuts: isOver ? [...cuts, length] : cuts,
      textSinceCut: (isOver ? 0 : textSinceCut) + text.length,
    };
    await this.save();
  }

  /** What is to be sent next. */
  get nextPart(): LogPart | undefined {
    const { sent, length, cuts } = this.state;
    if (sent >= length) return undefined;
    return { start: sent, end: cuts.find((cut) => cut > sent) ?? length };
  }

  async read({ start, end }: LogPart): Promise<Buffer> {
    const { buffer, bytesRead } = await this.file.read(Buffer.alloc(end - start), 0, end - start, start);
    return buffer.subarray(0, bytesRead);
  }

  async markSent(upTo: number): Promise<void> {
    if (upTo <= this.state.sent || upTo > this.state.length)
      throw new Error(`the central API has ${upTo} bytes of the log, and ${this.state.length} are here`);
    this.state = { ...this.state, sent: upTo, parts: this.state.parts + 1 };
    await this.save();
  }

  async close(): Promise<void> {
    await this.saving.catch(() => undefined);
    await this.file.close();
  }

  /** One write after the other, each of what is known by then. */
  private save(): Promise<void> {
    this.saving = this.saving
      .catch(() => undefined)
      .then(() => writeWhole(this.stateFile, JSON.stringify(this.state)))
      .catch((error: unknown) => {
        // The launch was released: nobody goes on with this log.
        if (errorCode(error) !== 'ENOENT') throw error;
      });
    return this.saving;
  }
}

async function readState(file: string): Promise<State | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : State.parse(JSON.parse(text));
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
