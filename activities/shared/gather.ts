/** Makes large pieces of small ones, so that a node that writes line by line costs little. */
import type { LogPiece } from '../../nodes';

const MOMENT_MS = 1_000;
const ENOUGH_BYTES = 256 * 1024;

/** The same output in pieces of what came within about a second, or of about a quarter of a mebibyte. */
export async function* gather(pieces: AsyncIterable<LogPiece>): AsyncGenerator<LogPiece> {
  const source = pieces[Symbol.asyncIterator]();
  const ask = () => {
    const asked = source.next();
    // It may fail while the piece before is still being worked on: whoever takes it is told.
    asked.catch(() => undefined);
    return asked;
  };
  let coming = ask();
  try {
    for (;;) {
      const first = await coming;
      if (first.done === true) return;
      const parts = [first.value.bytes];
      let { cursor } = first.value;
      let size = first.value.bytes.length;
      const moment = startMoment();
      for (coming = ask(); size < ENOUGH_BYTES; coming = ask()) {
        const more = await Promise.race([coming, moment.over]);
        if (more === undefined || more.done === true) break;
        parts.push(more.value.bytes);
        size += more.value.bytes.length;
        cursor = more.value.cursor;
      }
      moment.end();
      yield { bytes: Buffer.concat(parts), cursor };
    }
  } finally {
    await source.return?.();
  }
}

function startMoment(): { over: Promise<undefined>; end: () => void } {
  let end: () => void = () => undefined;
  const over = new Promise<undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), MOMENT_MS);
    end = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
  });
  return { over, end };
}
