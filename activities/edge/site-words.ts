/** What a site lets run, and what a run would get there, in words. Where its data is, is not among them. */
import type { Grant } from './approvals';
import type { SiteRules } from './site-rules';

const APPROVAL: Record<SiteRules['approval'], string> = {
  auto: 'runs are not asked about',
  ask: 'a person approves every run',
  page: 'a person approves every run, at the site or on the page',
};

/** What the file says of runs as a whole. */
export function rulesInWords(rules: SiteRules): string[] {
  const { consortia, approval, maintenance, quietHours, logs, results } = rules;
  return [
    consortia === undefined ? 'any consortium' : `consortia ${consortia.join(', ') || 'none'}`,
    APPROVAL[approval],
    ...(maintenance ? [`maintenance: ${maintenance.reason}`] : []),
    ...(quietHours.length > 0 ? ['quiet hours'] : []),
    `logs ${logs}`,
    `results ${results}`,
  ];
}

/** What a run would get, in words. */
export function grantWords({ resources: { cpus, memory, pids, gpus }, network }: Grant): string {
  const parts = [`${cpus} processors`, `${memory} of memory`, `${pids} processes`];
  if (gpus > 0) parts.push(`${gpus} graphics processors`);
  if (network !== undefined) parts.push(`network ${network}`);
  return parts.join(', ');
}
