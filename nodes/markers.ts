/**
 * The errors that a computation reports itself: a file in its output folder, or a line of its output. Both are
 * written by the computation, so they are bounded, and anything that cannot be read counts as no marker.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const MARKER_FILE = '.neuroflame_error.json';
const MARKER_LINE = 'NEUROFLAME_SHARED_ERROR:';
const MAX_BYTES = 64 * 1024;

const text = (max: number) => z.string().transform((value) => value.slice(0, max));

/** The traceback is left out on purpose: it may quote data, and the author shares the message only. */
const NodeMarker = z
  .object({
    origin: z.enum(['site', 'central']).optional().catch(undefined),
    stage: text(60).optional().catch(undefined),
    scope: text(60).optional().catch(undefined),
    error_type: text(60).optional().catch(undefined),
    message: text(3000),
  })
  .transform(({ origin, stage, scope, error_type: errorType, message }) => ({
    /** Where the computation says it happened: an error of one party is told to the others. */
    origin,
    stage,
    /** What it is about; of a site's error that others hear of, often the site. */
    scope,
    errorType,
    message,
  }));
export type NodeMarker = z.output<typeof NodeMarker>;

/** The error that the node reported, by file or else by the last such line of its log. */
export async function findMarker(outputFolder: string, logTail: string): Promise<NodeMarker | undefined> {
  return (await markerInFolder(outputFolder)) ?? markerInLog(logTail);
}

/** The marker file of an output folder, if it is a readable one. */
export async function markerInFolder(outputFolder: string): Promise<NodeMarker | undefined> {
  try {
    // Neither a link out of the folder nor a pipe that would never answer.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await using file = await open(join(outputFolder, MARKER_FILE), flags);
    const { size } = await file.stat();
    if (size > MAX_BYTES) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return parse(buffer.toString('utf8', 0, bytesRead));
  } catch {
    return undefined;
  }
}

/** The last readable marker line of a log. */
export function markerInLog(logTail: string): NodeMarker | undefined {
  for (const line of logTail.split('\n').reverse()) {
    const at = line.indexOf(MARKER_LINE);
    const marker = at < 0 ? undefined : parse(line.slice(at + MARKER_LINE.length));
    if (marker !== undefined) return marker;
  }
  return undefined;
}

function parse(json: string): NodeMarker | undefined {
  if (json.length > MAX_BYTES) return undefined;
  try {
    return NodeMarker.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}
