/** Lets a run in, or says why not, in the words of the taxonomy. */
import { ApplicationFailure } from '@temporalio/common';
import type { FetchInput } from '../../workflows/contract';
import { failure } from '../../workflows/errors';
import { capped } from '../shared/policy';
import { signatureOf } from '../shared/signed-computation';
import type { Grant } from './approvals';
import type { EdgeHost } from './edge-host';
import { decide, inWords, type Decision, type RunRequest, type SiteRules } from './site-rules';

/** How soon a run that a person let in goes on. */
const ASK_EVERY_MS = 10_000;
/** A site that is closed may be opened before it said it would. */
const LOOK_EVERY_MS = 30_000;
const SOONEST_MS = 1_000;

type Step = Pick<FetchInput, 'runId' | 'site' | 'consortium' | 'computation'>;

/**
 * Returns if the step's run may start here now.
 * @throws ApplicationFailure `ComputationNotAllowed`, `RunRefused`, `ApprovalNeeded`, `SiteClosed`
 */
export async function admit({ approvals }: EdgeHost, rules: SiteRules, step: Step): Promise<void> {
  const request = await requestOf(step);
  const answer = rules.approval === 'auto' ? undefined : await approvals.answerTo(request);
  const now = Date.now();
  const decision = decide(rules, request, now, answer);
  if (decision.type === 'accept') return;
  if (decision.type === 'wait' && decision.rule === 'approval') {
    // One that does not count any more would hide that the run asks.
    if (answer) await approvals.forgetAnswer(request);
    await approvals.ask(request, grantOf(rules, step.computation.resources, request.dataset));
  }
  throw failureOf(decision, now);
}

/** What a step says of its run, as far as a site decides by it. */
export async function requestOf({ runId, site, consortium, computation }: Step): Promise<RunRequest> {
  const { name, version, image, commands } = computation;
  return {
    runId,
    site: site.id,
    ...(consortium && { consortium }),
    computation: {
      ...{ name, version, ...(image !== undefined && { image }), command: [...commands.edge] },
      ...(await signatureOf(computation)),
    },
    dataset: site.dataset,
  };
}

/** What a run that asks for `resources` would get. */
export function grantOf(rules: SiteRules, resources: Grant['resources'], dataset: string): Grant {
  const { datasets, containers, logs, results } = rules;
  const folder = Object.hasOwn(datasets, dataset) ? datasets[dataset] : undefined;
  return {
    resources: capped(resources, rules.resources),
    ...(folder !== undefined && { folder }),
    ...(containers?.network !== undefined && { network: containers.network }),
    logs,
    results,
  };
}

function failureOf(decision: Exclude<Decision, { type: 'accept' }>, now: number): ApplicationFailure {
  const message = inWords(decision);
  if (decision.type === 'refuse')
    return failure(decision.final ? 'RunRefused' : 'ComputationNotAllowed', message);
  const isAsked = decision.rule === 'approval';
  const left = (('until' in decision ? decision.until : undefined) ?? Infinity) - now;
  return ApplicationFailure.create({
    type: isAsked ? 'ApprovalNeeded' : 'SiteClosed',
    message,
    nonRetryable: false,
    nextRetryDelay: isAsked ? ASK_EVERY_MS : Math.max(SOONEST_MS, Math.min(LOOK_EVERY_MS, left)),
  });
}
