/** The sites of a trial: each an edge worker of its own, under a policy made from the arguments. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { AllowedComputation } from '../dev/computations-file';
import { writeWhole } from '../dev/files';
import type { Stack } from '../dev/stack';
import type { SiteArgument } from './arguments';

/**
 * The edge workers of a trial. They come up beside what else is prepared, for nothing of a run is at a site before it
 * has been provisioned; an edge worker reads its policy for each launch, so that it need not be there before.
 */
export class TrialSites {
  private readonly ending = new AbortController();
  private readonly failing = new AbortController();
  private readonly up: Promise<void>;

  private constructor(
    private readonly stack: Stack,
    private readonly sites: readonly SiteArgument[],
  ) {
    this.up = startSites(stack, sites, this.ending.signal).catch((error: unknown) =>
      this.failing.abort(error),
    );
  }

  /** Edge workers that allow nothing yet. */
  static async begin(stack: Stack, sites: readonly SiteArgument[]): Promise<TrialSites> {
    await writePolicies(stack, sites, []);
    return new TrialSites(stack, sites);
  }

  /** Lets every site run a computation on its data. */
  allow(computation: AllowedComputation): Promise<void> {
    return writePolicies(this.stack, this.sites, [computation]);
  }

  /** Aborted with the reason when one of them does not come up. */
  get failed(): AbortSignal {
    return this.failing.signal;
  }

  /** Resolves when none of them is being started any more; those that are up are for the stack to stop. */
  async end(): Promise<void> {
    this.ending.abort();
    await this.up;
  }
}

/** Starts the edge workers, all at once, and resolves when every one of them is ready; when one fails, none is left starting. */
export async function startSites(
  stack: Stack,
  sites: readonly SiteArgument[],
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const wanted = AbortSignal.any([signal, failed.signal]);
  const starts = sites.map(({ id }) => stack.startEdgeWorker(id, policyFile(stack, id), wanted));
  for (const start of starts) start.catch((error: unknown) => failed.abort(error));
  await Promise.allSettled(starts);
  wanted.throwIfAborted();
}

/** Writes every site's policy: what may run there, on the folder that the site was given. */
export async function writePolicies(
  stack: Stack,
  sites: readonly SiteArgument[],
  computations: readonly AllowedComputation[],
): Promise<void> {
  await Promise.all(
    sites.map(({ id, folder }) => {
      const datasets = Object.fromEntries(computations.map(({ name }) => [name, folder]));
      const { gateway, apiUrl: api } = stack.sites;
      const identity = stack.paths.identity(id);
      const who = { site: id, gateway, api, identity, reports: stack.api.url };
      const policy = { ...who, computations, datasets, logs: 'stream' };
      return writeWhole(policyFile(stack, id), `# Written by muster try.\n${stringify(policy)}`);
    }),
  );
}

const policyFile = ({ paths }: Stack, siteId: string) => join(paths.site(siteId), 'site.yaml');
