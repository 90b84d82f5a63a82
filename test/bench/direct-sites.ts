/** Sites whose edge workers reach Temporal directly (direct-edge.ts); all else is as at other sites, the API by mutual TLS included. */
import { join } from 'node:path';
import { ensureJoined } from '../../dev/join-stack';
import { edgeWorkerPart } from '../../dev/parts';
import type { Stack } from '../../dev/stack';
import type { BenchSite } from './side';

export async function startDirectSites(
  stack: Stack,
  sites: readonly BenchSite[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    sites.map(async ({ id }) => {
      await ensureJoined(stack, id);
      const siteFile = join(stack.paths.site(id), 'site.yaml');
      const part = edgeWorkerPart(stack.paths, stack, { siteId: id, siteFile });
      const command = [process.execPath, join(__dirname, 'direct-edge.js'), '--config', siteFile] as const;
      const env = { ...part.env, TEMPORAL_ADDRESS: stack.temporal.address, STACK_STATE: stack.paths.root };
      await stack.startPart({ ...part, command: [...command], env }, signal);
    }),
  );
}
