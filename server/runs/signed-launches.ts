/** What a site is told of a launch before it fetches its kit: what the launch is, signed; and the kit's key, sealed to it. */
import { eq } from 'drizzle-orm';
import { randomUUID, type KeyObject } from 'node:crypto';
import { sealContentKey } from '../../sealing/content-key';
import { signManifest, type LaunchManifest } from '../../sealing/launch-manifest';
import type { RunKitAccess } from '../../workflows/api-contract';
import { kitKey, type RunView } from '../../workflows/contract';
import type { Database } from '../db/client';
import { runs } from '../db/schema';
import { HttpProblem } from '../problem';
import type { KitKeys, KnownKit } from './kit-keys';
import type { Launch } from './launches';

/** What is known of a launch at a site. */
export interface KnownLaunch {
  launch: Launch;
  run: Pick<RunView, 'consortium' | 'computation'>;
  kit: KnownKit;
}

export interface SignedLaunches {
  /**
   * @param publicKey the site's, as it has just shown it
   * @param seconds how long it is good for
   * @throws HttpProblem `unknown-kit`, `run-unreported`
   */
  forSite(
    launch: Launch,
    publicKey: KeyObject,
    seconds: number,
  ): Promise<NonNullable<RunKitAccess['sealed']>>;
}

export function createSignedLaunches(deps: {
  db: Database;
  kitKeys: KitKeys;
  signingKey: KeyObject;
}): SignedLaunches {
  const { db, kitKeys, signingKey } = deps;

  /** As the run was started here; or, where it was started in Temporal, as it reported itself. */
  async function recordOf(runId: string): Promise<KnownLaunch['run']> {
    const [run] = await db
      .select({ input: runs.input, view: runs.view })
      .from(runs)
      .where(eq(runs.runId, runId));
    if (run !== undefined) return run.input ?? run.view;
    throw new HttpProblem(
      'run-unreported',
      `Nothing is known here of run ${runId} yet: ask again in a moment.`,
    );
  }

  return {
    async forSite(launch, publicKey, seconds) {
      const [kit, run] = await Promise.all([kitKeys.get(launch), recordOf(launch.runId)]);
      const manifest = manifestOf({ launch, run, kit }, Date.now(), seconds);
      const [signed, contentKey] = await Promise.all([
        signManifest(manifest, signingKey),
        sealContentKey(kit.key, publicKey),
      ]);
      return { manifest: signed, contentKey };
    },
  };
}

/**
 * What is signed of a launch.
 * @param now milliseconds since the epoch
 * @param seconds how long it is good for
 */
export function manifestOf({ launch, run, kit }: KnownLaunch, now: number, seconds: number): LaunchManifest {
  const { runId, launchId, node } = launch;
  const { sha256, size, dataset, computation: digest } = kit;
  const { name, version } = run.computation;
  const iat = Math.floor(now / 1000);
  return {
    aud: node,
    ...{ runId, launchId, consortium: run.consortium },
    computation: { name, version, digest },
    dataset,
    kit: { key: kitKey(runId, launchId, node), sha256, size },
    ...{ iat, exp: iat + seconds, jti: randomUUID() },
  };
}
