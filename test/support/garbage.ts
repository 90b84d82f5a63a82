/** Has Node collect what nobody refers to, again and again, as a program does that has worked for a while. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';

const OFTEN_MS = 20;

/** During the tests of the block that it is called in. */
export function useGarbageCollection(): void {
  let timer: NodeJS.Timeout;
  beforeAll(() => {
    setFlagsFromString('--expose-gc');
    const collect = z.function({ input: [], output: z.void() }).parse(runInNewContext('gc'));
    timer = setInterval(collect, OFTEN_MS);
  });
  afterAll(() => clearInterval(timer));
}
