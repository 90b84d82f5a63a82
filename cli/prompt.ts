/** Asks the person at the terminal; what is not a terminal is read line by line. */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

export interface Prompt {
  ask(question: string): Promise<string>;
  /** What is typed is not shown. */
  askSecret(question: string): Promise<string>;
  close(): void;
}

export function createPrompt(input: NodeJS.ReadStream = process.stdin): Prompt {
  let hidden = false;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!hidden) process.stderr.write(chunk);
      done();
    },
  });
  const lines: Interface = createInterface({ input, output, terminal: input.isTTY });
  const iterator = lines[Symbol.asyncIterator]();
  const ask = async (question: string) => {
    process.stderr.write(question);
    const next = await iterator.next();
    return next.done === true ? '' : next.value;
  };
  return {
    ask,
    async askSecret(question) {
      hidden = true;
      try {
        return await ask(question);
      } finally {
        hidden = false;
        process.stderr.write('\n');
      }
    },
    close: () => lines.close(),
  };
}
