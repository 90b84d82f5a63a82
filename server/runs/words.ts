/** A new run in words, as Temporal's Web UI shows it. */
import type { RunInput } from '../../workflows/contract';

/** Temporal's limit for a summary, in bytes. */
const MAX_SUMMARY_BYTES = 200;
const MAX_LISTED = 50;

/** `summary` is one line, `details` is markdown. */
export function describeStart(input: RunInput, page: string): { summary: string; details: string } {
  const { computation, consortium, sites, parameters, startedBy } = input;
  const count = sites.length === 1 ? '1 site' : `${sites.length} sites`;
  const what = `${computation.name} ${computation.version} for ${consortium.name}`;
  const listed = sites
    .slice(0, MAX_LISTED)
    .map(({ id, name, dataset }) => `- ${plain(name)} (\`${id}\`): ${plain(dataset)}`);
  const keys = Object.keys(parameters);
  return {
    summary: clip(`${what}, ${count}, started by ${startedBy}`),
    details: [
      `[The run's page](${page})`,
      '',
      `**Sites** (${sites.length})`,
      '',
      ...listed,
      ...(sites.length > MAX_LISTED ? [`- and ${sites.length - MAX_LISTED} more`] : []),
      '',
      `**Parameters**: ${keys.length === 0 ? 'none' : keys.slice(0, MAX_LISTED).map(plain).join(', ')}`,
    ].join('\n'),
  };
}

/** Text that markdown leaves as it is. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]()#+!<>|~]/g, '\\$&');
}

function clip(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_SUMMARY_BYTES) return text;
  const cut = bytes.subarray(0, MAX_SUMMARY_BYTES - 3).toString();
  return `${cut.replace(/\uFFFD+$/, '')}…`;
}
