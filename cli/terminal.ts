/**
 * What a person sees of a run: lines that stay and, on a terminal, a block below them that is drawn again and again.
 * Elsewhere (a pipe, a log) every change is a line.
 */
import { createColors } from 'picocolors';
import type { FollowedEvent } from '../client';
import { describeChanges, describeError, drawBlock, newErrors, NOTHING_YET, type Progress } from './progress';

/** A stream to write to; a terminal knows its size. */
export type Output = Pick<NodeJS.WriteStream, 'write'> &
  Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'rows'>>;

export interface Screen {
  /** Prints a line that stays. */
  line: (text: string) => void;
  /** Shows how the run stands now. */
  show: (progress: Progress) => void;
  /** Hears what happened, before it is shown. */
  hear?: (event: FollowedEvent) => void;
  /** Leaves the last picture where it is. */
  close: () => void;
}

const REDRAW_MS = 200;

/** Some terminals, such as those that programs make, say that they have no size. */
const sizeOr = (size: number | undefined, otherwise: number) =>
  size === undefined || size === 0 ? otherwise : size;

/** The screen that fits `output`. */
export function createScreen(output: Output): Screen {
  return output.isTTY === true ? liveScreen(output) : plainScreen(output);
}

function plainScreen(output: Output): Screen {
  let shown = NOTHING_YET;
  const line = (text: string) => void output.write(`${text}\n`);
  return {
    line,
    show(progress) {
      describeChanges(shown, progress).forEach(line);
      newErrors(shown, progress).map(describeError).forEach(line);
      shown = progress;
    },
    close: () => undefined,
  };
}

function liveScreen(output: Output): Screen {
  const colors = createColors((process.env.NO_COLOR ?? '') === '');
  let shown = NOTHING_YET;
  let height = 0;
  let clock: NodeJS.Timeout | undefined;

  const block = () =>
    clock === undefined
      ? []
      : drawBlock(shown, Date.now(), {
          colors,
          width: sizeOr(output.columns, 80),
          height: sizeOr(output.rows, 24) - 1,
        });

  /** Draws the block anew, below `lines`, in one write so that nothing flickers. */
  function draw(lines: readonly string[] = []): void {
    const below = block();
    const over = height === 0 ? '' : `\u001b[${height}A\u001b[0J`;
    output.write(over + [...lines, ...below].map((text) => `${text}\n`).join(''));
    height = below.length;
  }

  return {
    line: (text) => draw([text]),
    show(progress) {
      const errors = newErrors(shown, progress).map(describeError);
      shown = progress;
      clock ??= setInterval(draw, REDRAW_MS).unref();
      draw(errors.map((text) => colors.red(text)));
    },
    close() {
      if (clock !== undefined) draw();
      clearInterval(clock);
      clock = undefined;
      height = 0;
    },
  };
}
