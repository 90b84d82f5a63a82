/** The sites of a trial: each an edge worker of its own, under a policy made from the arguments. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { AllowedComputation } from '../dev/computations-file';
import type { Stack } from '../dev/stack';
import type { SiteArgument } from './arguments';

/** Starts the edge workers, all at once, and resolves when every one of them is ready; when one fails, none is left starting. */
export async function startSites(
  stack: Stack,
  sites: readonly SiteArgument[],
  allowed: AllowedComputation,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const wanted = AbortSignal.any([signal, failed.signal]);
  const starts = sites.map(async (site) => {
    const file = await writeSiteFile(stack.paths.site(site.id), site, allowed);
    await stack.startEdgeWorker(site.id, file, wanted);
  });
  for (const start of starts) start.catch((error: unknown) => failed.abort(error));
  await Promise.allSettled(starts);
  wanted.throwIfAborted();
}

async function writeSiteFile(
  folder: string,
  site: SiteArgument,
  allowed: AllowedComputation,
): Promise<string> {
  const file = join(folder, 'site.yaml');
  const policy = {
    site: site.id,
    computations: [allowed],
    datasets: { [allowed.name]: site.folder },
    logs: 'stream',
  };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(file, `# Written by muster try.\n${stringify(policy)}`);
  return file;
}
