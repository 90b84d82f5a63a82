/**
 * What would become of a run at this site that came now, by the very code that decides about one. Nothing is started or
 * pulled: what is not here counts as its name says.
 */
import { ApplicationFailure } from '@temporalio/common';
import { chooseRuntime, connectEngine, engineAnswers, imageHere } from '../../nodes';
import type { NodeComputation } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { meansFor } from '../shared/policy';
import { grantOf, requestOf } from './admission';
import type { Grant } from './approvals';
import { dataFolder } from './site-data';
import { decide, type Decision, type SiteRules } from './site-rules';

/** A run that somebody asks about. */
export interface AskedRun {
  computation: NodeComputation;
  consortium: { id: string; name: string };
  dataset: string;
}

export interface Forecast {
  /** As if nobody had to be asked: what else keeps the run from starting is to be known before. */
  byFile: Decision;
  decision: Decision;
  /** Why there is no way to run it here, where the file allows it. */
  means?: { type: string; why: string };
  /** Whether its image is here; `unknown` where no engine answers. */
  image: 'here' | 'to-be-pulled' | 'not-needed' | 'unknown';
  /** Why its data cannot be read. */
  data?: string;
  /** What it would get. */
  grant: Grant;
}

export async function foresee(rules: SiteRules, asked: AskedRun, now = Date.now()): Promise<Forecast> {
  const { consortium, dataset } = asked;
  const hasEngine = await engineAnswers();
  const { computation, image } = await resolved(asked.computation, hasEngine);
  const site = { id: rules.site, name: rules.site, dataset };
  const request = await requestOf({ runId: 'check', site, consortium, computation });
  const byFile = decide({ ...rules, approval: 'auto' }, request, now);
  const way = byFile.type === 'refuse' ? undefined : await wayFor(computation, rules);
  const data = await dataFolder(site, rules).then(() => undefined, messageOf);
  return {
    ...{ byFile, decision: decide(rules, request, now) },
    image: way !== undefined && 'runtime' in way && way.runtime === 'process' ? 'not-needed' : image,
    ...(way !== undefined && 'why' in way && { means: way }),
    ...(data !== undefined && { data }),
    grant: grantOf(rules, computation.resources, dataset),
  };
}

async function wayFor(
  computation: NodeComputation,
  rules: SiteRules,
): Promise<{ runtime: 'docker' | 'process' } | { type: string; why: string }> {
  try {
    return await meansFor(computation, rules, { choose: (kind) => chooseRuntime(kind), images: IMAGES_HERE });
  } catch (error) {
    return { type: (error instanceof ApplicationFailure && error.type) || 'Internal', why: messageOf(error) };
  }
}

/** With its image by digest, as a run has it: what its name means here, where it is here. */
async function resolved(
  computation: NodeComputation,
  hasEngine: boolean,
): Promise<{ computation: NodeComputation; image: Forecast['image'] }> {
  if (computation.image === undefined) return { computation, image: 'not-needed' };
  if (!hasEngine) return { computation, image: 'unknown' };
  const here = await imageHere(connectEngine(), computation.image);
  if (here === undefined) return { computation, image: 'to-be-pulled' };
  return { computation: { ...computation, image: here.digest }, image: 'here' };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The images that are here. */
const IMAGES_HERE = {
  resolve: () => Promise.reject(failure('ImageMissing', 'nothing is pulled to check')),
  is: async (reference: string, digest: string) => {
    if (reference === digest) return true;
    const here = await imageHere(connectEngine(), reference);
    if (here) return here.is(digest);
    throw failure('ImageMissing', `image ${reference} is not here: pull it to know whether it is ${digest}`);
  },
};
