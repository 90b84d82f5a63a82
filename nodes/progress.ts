/** The engine's running account of a pull or a build: a line of JSON for each thing that happens. */
import { z } from 'zod';

const Event = z.object({
  /** What a build prints. */
  stream: z.string().optional(),
  /** What a pull does, and to which layer. */
  status: z.string().optional(),
  id: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional() }).optional(),
  error: z.string().optional(),
});

/**
 * Resolves at the end of the account; rejects with the error that the engine tells. `say` gets the lines worth
 * showing, `alive` is called whenever anything is heard.
 */
export async function untilDone(
  answer: NodeJS.ReadableStream,
  say?: (line: string) => void,
  alive?: () => void,
): Promise<void> {
  for await (const line of linesOf(answer)) {
    alive?.();
    const event = Event.parse(JSON.parse(line));
    if (event.error !== undefined) throw new Error(event.error);
    const text = textOf(event);
    if (text !== undefined) say?.(text);
  }
}

/** A line to show for an event, where it has one. */
function textOf({ stream, status, id, progressDetail }: z.output<typeof Event>): string | undefined {
  if (stream !== undefined) return stream.trim() || undefined;
  // Every few kilobytes of a layer are an event of their own.
  if (status === undefined || progressDetail?.current !== undefined) return undefined;
  return id === undefined ? status : `${id}: ${status}`;
}

async function* linesOf(answer: NodeJS.ReadableStream): AsyncGenerator<string> {
  let rest = '';
  answer.setEncoding('utf8');
  for await (const chunk of answer) {
    const lines = `${rest}${String(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') yield rest;
}
