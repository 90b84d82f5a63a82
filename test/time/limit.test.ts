import { once } from 'node:events';
import { timeLimit } from '../../time/limit';
import { useGarbageCollection } from '../support/garbage';

useGarbageCollection();

test('a limit ends what waits, alone and combined with others', async () => {
  const combined = () => AbortSignal.any([new AbortController().signal, timeLimit(300)]);
  const asked = new Error('asked to');
  const alone = timeLimit(300);
  const both = AbortSignal.any([combined(), combined()]);
  const early = AbortSignal.any([timeLimit(300), AbortSignal.abort(asked)]);
  await Promise.all([once(alone, 'abort'), ended(combined()), ended(both)]);
  expect(alone.reason).toMatchObject({ name: 'TimeoutError', message: 'Not done within 300 ms' });
  expect(early.reason).toBe(asked);
});

/** As fetch waits for a signal: by a listener, and holding nothing else. */
const ended = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
