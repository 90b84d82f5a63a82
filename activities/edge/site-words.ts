/** What a site lets run, and what a run would get there, in words. Where its data is, is not among them. */
import type { Grant } from './approvals';
import type { SiteRules } from './site-rules';

const APPROVAL: Record<SiteRules['approval'], string> = {
  auto: 'no run waits for a person',
  ask: 'a person approves every run',
  page: 'a person approves every run, at the site or on the page',
};

const LOGS: Record<SiteRules['logs'], string> = {
  none: 'no log leaves the site',
  'on-error': 'the log of a node leaves the site once it has failed',
  stream: 'the log of a node leaves the site while it runs',
};
const RESULTS: Record<SiteRules['results'], string> = {
  listed: 'of results, names and sizes leave the site',
  hidden: 'of results, nothing leaves the site',
};

/** What the file says of runs as a whole. */
export function rulesInWords(rules: SiteRules): string[] {
  const { consortia, approval, maintenance, quietHours, logs, results } = rules;
  return [
    consortia === undefined
      ? 'runs of any consortium'
      : `runs of these consortia alone: ${consortia.join(', ') || 'none'}`,
    APPROVAL[approval],
    ...(maintenance ? [`maintenance: ${maintenance.reason}`] : []),
    ...(quietHours.length > 0 ? ['quiet hours'] : []),
    LOGS[logs],
    RESULTS[results],
  ];
}

/** What a run would get, in words. */
export function grantWords({ resources: { cpus, memory, pids, gpus }, network }: Grant): string {
  const parts = [`${cpus} processors`, `${memory} of memory`, `${pids} processes`];
  if (gpus > 0) parts.push(`${gpus} graphics processors`);
  if (network !== undefined) parts.push(`network ${network}`);
  return parts.join(', ');
}
