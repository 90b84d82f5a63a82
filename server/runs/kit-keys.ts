/**
 * What the kits of sites are sealed with, for as long as their launches are not over. The keys come from the central worker
 * that made the kits, lie here sealed, and are given to nobody but the site whose kit it is.
 */
import { and, eq, inArray, isNotNull } from 'drizzle-orm';
import { KeyRing, type NamedKeys } from '../../sealing/key-ring';
import { computationDigest } from '../../sealing/launch-manifest';
import type { RunKitsBody } from '../../workflows/api-contract';
import type { LaunchRef, RunInput } from '../../workflows/contract';
import { nodeComputation } from '../../workflows/launch-context';
import type { Database } from '../db/client';
import { attempts, kitKeys, runs } from '../db/schema';
import { HttpProblem } from '../problem';
import type { Launch } from './launches';

/** A kit of a site, as the central worker that published it told of it. */
export type KnownKit = Omit<RunKitsBody['kits'][number], 'key'> & {
  /** Digest of what the node is to run. */
  computation: string;
  key: Buffer;
};

export interface KitKeys {
  /** Takes the kits of a launch in. The same again changes nothing. @throws HttpProblem */
  put(launch: LaunchRef, kits: RunKitsBody): Promise<void>;
  remove(launch: LaunchRef): Promise<void>;
  /** @throws HttpProblem `unknown-kit` */
  get(launch: Launch): Promise<KnownKit>;
}

export function createKitKeys({ db, payloadKeys }: { db: Database; payloadKeys: NamedKeys }): KitKeys {
  const ring = new KeyRing(payloadKeys, 'kit-key');

  /** All kits of a launch, or that of one node. */
  async function known(
    tx: Database,
    { runId, launchId, node }: LaunchRef & { node?: string },
  ): Promise<KnownKit[]> {
    const ofLaunch = and(eq(kitKeys.runId, runId), eq(kitKeys.launchId, launchId));
    const rows = await tx
      .select()
      .from(kitKeys)
      .where(node === undefined ? ofLaunch : and(ofLaunch, eq(kitKeys.node, node)));
    return rows.flatMap(({ sealedKey, ...row }) => {
      const key = ring.open(Buffer.from(sealedKey, 'base64url'), boundTo(row));
      return key === undefined ? [] : { ...row, key };
    });
  }

  return {
    put: ({ runId, launchId }, { computation, kits }) =>
      db.transaction(async (tx) => {
        await mustBeOpen(tx, { runId, launchId });
        await mustBeAsStarted(tx, runId, { computation, kits });
        const rows = kits.map(({ key, ...kit }) => {
          const row = { runId, launchId, computation, ...kit };
          const sealed = ring.seal(Buffer.from(key, 'base64url'), boundTo(row));
          return { ...row, sealedKey: sealed.toString('base64url') };
        });
        await tx.insert(kitKeys).values(rows).onConflictDoNothing();
        const are = await known(tx, { runId, launchId });
        if (!sameKits(are, { computation, kits }))
          throw new HttpProblem(
            'kits-differ',
            `Launch ${launchId} of run ${runId} has other kits, or keys that cannot be read any more.`,
          );
      }),

    async remove({ runId, launchId }) {
      await db.delete(kitKeys).where(and(eq(kitKeys.runId, runId), eq(kitKeys.launchId, launchId)));
    },

    async get(launch) {
      const [kit] = await known(db, launch);
      if (kit === undefined) throw unknownKit(launch);
      return kit;
    },
  };
}

export const unknownKit = ({ runId, launchId, node }: Launch) =>
  new HttpProblem('unknown-kit', `There is no kit for ${node} in launch ${launchId} of run ${runId}.`);

/** Forgets the keys of those launches of the run that have ended. */
export async function forgetKeysOfEnded(tx: Database, runId: string): Promise<void> {
  const ended = tx
    .select({ launchId: attempts.launchId })
    .from(attempts)
    .where(and(eq(attempts.runId, runId), isNotNull(attempts.endedAt)));
  await tx.delete(kitKeys).where(and(eq(kitKeys.runId, runId), inArray(kitKeys.launchId, ended)));
}

/** Forgets all keys of a run that is over. */
export async function forgetKeys(tx: Database, runId: string): Promise<void> {
  await tx.delete(kitKeys).where(eq(kitKeys.runId, runId));
}

const boundTo = ({ runId, launchId, node }: Launch) => `${runId}/${launchId}/${node}`;

/** What is told late of a launch that has ended would never be forgotten. */
async function mustBeOpen(tx: Database, { runId, launchId }: LaunchRef): Promise<void> {
  const [ended] = await tx
    .select({ state: attempts.state })
    .from(attempts)
    .where(and(eq(attempts.runId, runId), eq(attempts.launchId, launchId), isNotNull(attempts.endedAt)));
  if (ended) throw new HttpProblem('run-ended', `Launch ${launchId} of run ${runId} is ${ended.state}.`);
}

/** Of a run that was started here it is known what it is to be; of one that was started in Temporal, its worker says it. */
async function mustBeAsStarted(tx: Database, runId: string, told: RunKitsBody): Promise<void> {
  const [run] = await tx.select({ input: runs.input }).from(runs).where(eq(runs.runId, runId));
  const difference = run?.input ? differenceFrom(run.input, told) : undefined;
  if (difference === undefined) return;
  throw new HttpProblem(
    'run-differs',
    `The kits are not of the run ${runId} as it was started: ${difference}. Start a new run.`,
  );
}

function differenceFrom(
  input: Pick<RunInput, 'computation' | 'sites'>,
  { computation, kits }: RunKitsBody,
): string | undefined {
  if (computation !== computationDigest(nodeComputation(input))) return 'its computation is another one';
  const datasets = new Map(input.sites.map(({ id, dataset }) => [id, dataset]));
  const other = kits.find(({ node, dataset }) => datasets.get(node) !== dataset);
  return other && `${other.node} is to work on ${other.dataset}`;
}

function sameKits(are: readonly KnownKit[], { computation, kits }: RunKitsBody): boolean {
  const byNode = new Map(are.map((kit) => [kit.node, kit]));
  const isThere = (kit: RunKitsBody['kits'][number]) => {
    const known = byNode.get(kit.node);
    return (
      known?.sha256 === kit.sha256 &&
      known.size === kit.size &&
      known.dataset === kit.dataset &&
      known.computation === computation &&
      known.key.toString('base64url') === kit.key
    );
  };
  return byNode.size === kits.length && kits.every(isThere);
}
