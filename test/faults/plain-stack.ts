/** A stack of so many sites whose nodes are processes, with a consortium. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPUTATION_FOLDER, COMPUTATION_NAME, registerHeld } from './computation';
import { FaultStack, type FaultStackOptions } from './stack';

/** The consortium is called like the data of its sites. */
export const CONSORTIUM = 'usual';

export async function withPlainStack<T>(
  siteIds: readonly string[],
  options: Pick<FaultStackOptions, 'say' | 'placed' | 'seenFromSites' | 'env'>,
  use: (stack: FaultStack) => Promise<T>,
): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'muster-faults-'));
  try {
    const data = join(root, 'data');
    await mkdir(data);
    const stack = await FaultStack.open({
      ...options,
      state: join(root, 'stack'),
      sites: Object.fromEntries(siteIds.map((id) => [id, { [CONSORTIUM]: data }])),
      allowed: { name: COMPUTATION_NAME, runtime: 'process', folder: COMPUTATION_FOLDER },
    });
    try {
      await registerHeld(stack.api, siteIds, [CONSORTIUM]);
      return await use(stack);
    } finally {
      await stack.close();
    }
  } finally {
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  }
}
