/** What a part has written to its log since it was started. */
import { open } from 'node:fs/promises';
import { z } from 'zod';

const TAIL_BYTES = 4096;
/** A line of our own services' logs, as far as we read it. */
const LogLine = z.object({ msg: z.string(), err: z.object({ message: z.string() }).optional() });

export class LogTail {
  constructor(
    readonly path: string,
    private readonly from: number,
  ) {}

  /** Whether one of our services has logged this message. */
  async has(message: string): Promise<boolean> {
    const text = await this.read(this.from);
    return text.split('\n').some((line) => parse(line)?.msg === message);
  }

  /** The last line, without what is only for machines; empty when nothing was written. */
  async lastLine(): Promise<string> {
    const text = await this.read(Math.max(this.from, (await this.size()) - TAIL_BYTES));
    const line = text.trimEnd().split('\n').at(-1) ?? '';
    const parsed = parse(line);
    if (parsed === undefined) return line;
    return parsed.err === undefined ? parsed.msg : `${parsed.msg}: ${parsed.err.message}`;
  }

  private async read(position: number): Promise<string> {
    const file = await open(this.path);
    try {
      const length = Math.max(0, (await file.stat()).size - position);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  }

  private async size(): Promise<number> {
    const file = await open(this.path);
    return await file
      .stat()
      .then(({ size }) => size)
      .finally(() => file.close());
  }
}

function parse(line: string): z.output<typeof LogLine> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return LogLine.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
