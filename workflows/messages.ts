/** Messages between workflows: what comes in is checked once, what goes out may find nobody at home. */
import { log, setHandler, type SignalDefinition } from '@temporalio/workflow';
import type { z } from 'zod';

/** Handles a signal whose payload fits `schema`; any other is logged and dropped, for a workflow must not die of it. */
export function onSignal<T extends z.ZodType>(
  signal: SignalDefinition<[z.output<T>]>,
  schema: T,
  handle: (payload: z.output<T>) => void,
): void {
  setHandler(signal, (raw: unknown) => {
    const parsed = schema.safeParse(raw);
    if (parsed.success) handle(parsed.data);
    else
      log.warn('signal dropped: it is not of the agreed form', {
        signal: signal.name,
        issues: problems(parsed.error),
      });
  });
}

/** What is wrong, and where, in one line. */
export function problems(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${['', ...path].join('/') || '/'}: ${message}`).join('; ');
}

/** Waits for a message to be delivered; a failure is logged with `why` it does not matter. */
export async function forget(message: Promise<unknown>, why: string): Promise<void> {
  try {
    await message;
  } catch (error) {
    log.warn('message not delivered', { why, error: error instanceof Error ? error.message : String(error) });
  }
}
