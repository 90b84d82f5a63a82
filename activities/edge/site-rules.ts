/**
 * What a site decides about a run before it fetches anything of it: by its own file, and by what a person there said of this
 * very run. Pure: nothing is looked up here, so `muster site check` decides as the edge worker will.
 */
import { z } from 'zod';
import { ConsortiumId } from '../../workflows/contract';
import { allowing, type HostPolicy } from '../shared/policy';
import { QuietHours, quietAt } from './quiet-hours';

const Moment = z.iso.datetime({
  offset: true,
  error: 'a moment is written 2026-11-30T06:00:00Z, or with an offset like +01:00',
});

/** The part of site.yaml that is about runs as a whole; the rest is about what they may use. */
export const RULES_OF_RUNS = {
  consortia: z
    .array(ConsortiumId)
    .optional()
    .describe('The ids of the consortia whose runs may run here. Absent: any. An empty list: none.'),
  approval: z
    .enum(['auto', 'ask', 'page'])
    .default('auto')
    .describe(
      '`ask`: every run waits until a person here allows it (`muster site approvals`, `approve`, `refuse`). ' +
        '`page`: so it does, and who administers the site may also answer on the page.',
    ),
  maintenance: z
    .strictObject({
      reason: z.string().min(1).max(500).describe('Why. The consortium reads it.'),
      until: Moment.optional().describe(
        'When it is over, as `2026-11-30T06:00:00Z`. Absent: when you take it out.',
      ),
    })
    .optional()
    .describe('Nothing new starts. What runs, runs on.'),
  quietHours: z
    .array(QuietHours)
    .max(50)
    .default([])
    .describe('Hours in which nothing new starts. A run waits for their end; what runs, runs on.'),
};

/** All that a site decides; see {@link HostPolicy} for what it shares with a central host. */
export interface SiteRules extends HostPolicy {
  site: string;
  consortia?: readonly string[] | undefined;
  approval: 'auto' | 'ask' | 'page';
  maintenance?: { reason: string; until?: string | undefined } | undefined;
  quietHours: readonly QuietHours[];
}

/** All that a site knows of a run before it fetches anything of it. */
export const RunRequest = z.strictObject({
  runId: z.string(),
  site: z.string(),
  /** Absent where the central side is of an older version. */
  consortium: z.strictObject({ id: z.string(), name: z.string() }).optional(),
  computation: z.strictObject({
    name: z.string(),
    version: z.string(),
    /** By its digest; absent for one that runs as local processes. */
    image: z.string().optional(),
    command: z.array(z.string()),
    /** Who signed it: their public key. */
    signer: z.string().optional(),
    /** Why its signature, if it has one, counts for nothing. */
    flaw: z.string().optional(),
  }),
  dataset: z.string(),
});
export type RunRequest = z.output<typeof RunRequest>;

/** What a person said of a run. */
export interface PersonsAnswer {
  verdict: 'approved' | 'refused';
  by: string;
  /** Said on the page, as the central API tells it. Absent: at the site. */
  via?: 'page' | undefined;
  why?: string | undefined;
}

/** `until`: when it goes on by itself, in milliseconds since the epoch. */
export interface Closure {
  type: 'wait';
  rule: 'maintenance' | 'quietHours';
  why: string;
  until?: number;
}
export type Decision =
  | { type: 'accept' }
  | Closure
  | { type: 'wait'; rule: 'approval'; why: string }
  /** `final`: by a person, of this run; else the file may still be changed. */
  | { type: 'refuse'; rule: string; why: string; final: boolean };

/**
 * Whether a run may start here now. What the file refuses comes first, for a person need not be asked about it; a person is
 * asked also while nothing starts, so that the run need not wait twice.
 * @param answer what a person said of this very request, where one has to
 */
export function decide(rules: SiteRules, request: RunRequest, now: number, answer?: PersonsAnswer): Decision {
  return refusal(rules, request) ?? byPerson(rules, answer) ?? closure(rules, now) ?? { type: 'accept' };
}

function refusal(rules: SiteRules, { site, consortium, computation }: RunRequest): Decision | undefined {
  const refuse = (rule: string, why: string): Decision => ({ type: 'refuse', rule, why, final: false });
  if (site !== rules.site) return refuse('site', `this is ${rules.site}, and the run asks for ${site}`);
  const { consortia } = rules;
  if (consortia && !consortium) return refuse('consortia', 'the run does not say which consortium it is of');
  if (consortia && consortium && !consortia.includes(consortium.id)) {
    const allowed = consortia.join(', ') || 'none';
    return refuse('consortia', `consortium ${consortium.id} is not allowed here; allowed: ${allowed}`);
  }
  const allowed = allowing(computation, rules.computations);
  return 'why' in allowed ? refuse('computations', allowed.why) : undefined;
}

function byPerson({ approval }: SiteRules, answer: PersonsAnswer | undefined): Decision | undefined {
  if (approval === 'auto') return undefined;
  // What came through the centre counts for as long as the site's own file lets it.
  const counts = answer?.via !== 'page' || approval === 'page';
  if (!answer || !counts) {
    const where = approval === 'page' ? 'a person who administers the site' : 'a person at the site';
    return { type: 'wait', rule: 'approval', why: `${where} has to approve this run` };
  }
  if (answer.verdict === 'approved') return undefined;
  const why = `${whoSaid(answer)} refused this run${answer.why === undefined ? '' : `: ${answer.why}`}`;
  return { type: 'refuse', rule: 'approval', why, final: true };
}

/** Who answered, and where. */
export const whoSaid = ({ by, via }: Pick<PersonsAnswer, 'by' | 'via'>): string =>
  via === 'page' ? `${by} (on the page)` : by;

/** Why nothing new starts here now, if so, whatever it is. */
export function closure({ maintenance, quietHours }: SiteRules, now: number): Closure | undefined {
  const until = maintenance?.until === undefined ? undefined : Date.parse(maintenance.until);
  if (maintenance && (until === undefined || until > now)) {
    const why = `nothing starts here for now: ${maintenance.reason}`;
    return { type: 'wait', rule: 'maintenance', why, ...(until !== undefined && { until }) };
  }
  const quiet = quietAt(quietHours, now);
  return quiet && { type: 'wait', rule: 'quietHours', why: 'nothing starts here in these hours', ...quiet };
}

/** A decision that is not to accept, in words that name the rule. */
export function inWords(decision: Exclude<Decision, { type: 'accept' }>): string {
  const end = decision.type === 'wait' && 'until' in decision ? decision.until : undefined;
  const goesOn = end === undefined ? '' : `; it goes on at ${new Date(end).toISOString()}`;
  return `site.yaml: ${decision.rule}: ${decision.why}${goesOn}`;
}
