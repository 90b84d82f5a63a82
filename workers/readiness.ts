/**
 * What a site would let run, as its edge worker tells the central API: judged by the very code that decides about a run, and said
 * whenever it is something else than before. An API that is older asks for none of it.
 */
import type { Logger } from 'pino';
import type { Approvals, Asked } from '../activities/edge/approvals';
import { foresee } from '../activities/edge/forecast';
import { closure, inWords, type SiteRules } from '../activities/edge/site-rules';
import { grantWords, rulesInWords } from '../activities/edge/site-words';
import type { CentralApi } from '../client/central-api';
import {
  MOST_TOLD,
  type Ask,
  type Judgement,
  type ReadinessBody,
  type SiteMemberships,
  type SiteNews,
} from '../workflows/consortium-contract';
import { takePageAnswers } from './page-answers';

/** Folders and images come and go without anyone saying so: they are looked at anew with every so many signs of life. */
const LOOKS_TO_JUDGE = 4;
/** A run that still waits asks every few seconds. */
const STILL_ASKS_MS = 5 * 60_000;
const LONGEST = 1_000;

export interface ReadinessParts {
  api: Pick<CentralApi, 'getMemberships' | 'getAnswers' | 'reportReadiness'>;
  rules(): Promise<SiteRules>;
  approvals: Pick<Approvals, 'list' | 'answerFirst'>;
  version: string;
  log: Pick<Logger, 'info' | 'warn'>;
}

export class Readiness {
  private memberships: SiteMemberships['memberships'] = [];
  private mark: string | undefined;
  private judged: { rules: SiteRules; judgements: Judgement[]; looks: number } | undefined;
  private said: string | undefined;
  /** Said once, until it changes. */
  private complaint: string | undefined;

  constructor(private readonly parts: ReadinessParts) {}

  /** Looks at all that the site is judged by, and says what has changed. */
  async look(news: SiteNews, signal: AbortSignal): Promise<void> {
    try {
      await this.tell(news, signal);
      this.complaint = undefined;
    } catch (err) {
      if (signal.aborted) return;
      const complaint = err instanceof Error ? err.message : String(err);
      if (complaint !== this.complaint)
        this.parts.log.warn({ err }, 'what this site would let run could not be told');
      this.complaint = complaint;
    }
  }

  private async tell({ memberships: mark, heard, answers }: SiteNews, signal: AbortSignal): Promise<void> {
    const { api, approvals, version } = this.parts;
    if (mark !== this.mark) {
      this.memberships = (await api.getMemberships(signal)).memberships;
      this.judged = undefined;
      this.mark = mark;
    }
    const rules = await this.parts.rules();
    if (rules.approval === 'page' && answers !== undefined && answers > 0)
      await takePageAnswers(this.parts, signal);
    const body: ReadinessBody = {
      version,
      policy: policyOf(answers === undefined ? asOlder(rules) : rules, Date.now()),
      judgements: await this.judgements(rules),
      asks: (await approvals.list()).filter(stillAsks).slice(0, MOST_TOLD.asks).map(askOf),
    };
    const text = JSON.stringify(body);
    if (text === this.said && heard) return;
    await api.reportReadiness(body, signal);
    this.said = text;
  }

  private async judgements(rules: SiteRules): Promise<Judgement[]> {
    const before = this.judged;
    if (before?.rules === rules && before.looks < LOOKS_TO_JUDGE) {
      before.looks += 1;
      return before.judgements;
    }
    const judgements: Judgement[] = [];
    for (const membership of this.memberships.slice(0, MOST_TOLD.judgements))
      judgements.push(...(await judge(rules, membership)));
    this.judged = { rules, judgements, looks: 1 };
    return judgements;
  }
}

/** Nothing, while the consortium has chosen nothing. */
async function judge(
  rules: SiteRules,
  { consortium, computation, dataset }: SiteMemberships['memberships'][number],
): Promise<Judgement[]> {
  if (computation === undefined) return [];
  const { byFile, decision, means, image, data } = await foresee(rules, { computation, consortium, dataset });
  const refused =
    byFile.type === 'refuse'
      ? inWords(byFile)
      : means?.type === 'ComputationNotAllowed'
        ? means.why
        : undefined;
  const asks = decision.type === 'wait' && decision.rule === 'approval';
  const why = refused ?? means?.why;
  const { name, version } = computation;
  return [
    {
      ...{ consortiumId: consortium.id, computation: { name, version }, dataset, image },
      verdict: refused !== undefined ? 'refused' : asks ? 'needs-approval' : 'allowed',
      ...(why !== undefined && { why: short(why) }),
      data: data === undefined ? 'present' : 'missing',
      ...(data !== undefined && { dataWhy: short(data) }),
    },
  ];
}

/** As an API understands it that takes no answers on the page. */
const asOlder = (rules: SiteRules): SiteRules =>
  rules.approval === 'page' ? { ...rules, approval: 'ask' } : rules;

function policyOf(rules: SiteRules, now: number): ReadinessBody['policy'] {
  const closed = closure(rules, now);
  return {
    says: rulesInWords(rules).map(short),
    approval: rules.approval,
    ...(closed && {
      closed: {
        rule: closed.rule,
        says: short(closed.why),
        ...(closed.until !== undefined && { until: closed.until }),
      },
    }),
  };
}

const stillAsks = ({ answer, lastAsked }: Asked) =>
  answer === undefined && Date.now() - lastAsked < STILL_ASKS_MS;

function askOf({ id, since, request, grant }: Asked): Ask {
  const { runId, consortium, computation, dataset } = request;
  const { flaw: _internal, ...named } = computation;
  const lets = `logs ${grant.logs}; results ${grant.results}`;
  return {
    ...{ id, runId, since, computation: named, dataset },
    ...(consortium && { consortium }),
    gets: short(`${grantWords(grant)}; lets out ${lets}`),
  };
}

const short = (text: string) => text.slice(0, LONGEST);
