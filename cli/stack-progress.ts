/** Shows how a stack comes up: on a terminal with a spinner for the part that is awaited, elsewhere line by line. */
import ora from 'ora';
import type { StackProgress } from '../dev/stack';

const TITLES: Readonly<Record<string, string>> = {
  temporal: 'Temporal',
  minio: 'Object store',
  api: 'Central API',
  gateway: 'Site gateway',
  'central-worker': 'Central worker',
};
const WIDTH = 16;

const titleOf = (part: string) => (TITLES[part] ?? part).padEnd(WIDTH);

export interface ShownProgress extends StackProgress {
  /** Leaves the terminal as it was, also when the stack did not come up. */
  close(): void;
}

/** The way to show it that fits `output`. */
export function showStackProgress(output: NodeJS.WriteStream): ShownProgress {
  return output.isTTY ? spinningProgress(output) : plainProgress(output);
}

function plainProgress(output: NodeJS.WriteStream): ShownProgress {
  const line = (text: string) => void output.write(`${text}\n`);
  return {
    starting: () => undefined,
    doing: (part, text) => line(`${titleOf(part)} ${text}`),
    up: (part, address) => line(`${titleOf(part)} ${address}`),
    notice: line,
    close: () => undefined,
  };
}

function spinningProgress(output: NodeJS.WriteStream): ShownProgress {
  const spinner = ora({ stream: output, discardStdin: false });
  const doing = new Map<string, string>();
  let awaited = '';
  const text = () => `${titleOf(awaited)} ${doing.get(awaited) ?? 'starting'}`;
  return {
    starting(part) {
      awaited = part;
      spinner.start(text());
    },
    doing(part, what) {
      doing.set(part, what);
      if (part === awaited) spinner.text = text();
    },
    up: (part, address) => void spinner.succeed(`${titleOf(part)} ${address}`),
    notice(line) {
      const { isSpinning } = spinner;
      spinner.stop();
      output.write(`${line}\n`);
      if (isSpinning) spinner.start();
    },
    close: () => void spinner.stop(),
  };
}
