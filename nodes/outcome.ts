/**
 * How a node ended, decided from all that was seen of it. An exit code of 0 proves nothing by itself: some
 * computations end so after they failed, and their outputs are what tells.
 */
import { constants } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import type { NodeOutcome, OutputFile } from '../workflows/contract';
import type { FailureType } from '../workflows/errors';
import type { NodeMarker } from './markers';
import type { AbsentNode, ExitedNode } from './node-runtime';

/** How much of a node's log may leave its host. */
export type LogPolicy = 'none' | 'on-error' | 'stream';

/** What was seen of a node that no longer runs. */
export interface NodeEnding {
  condition: ExitedNode | AbsentNode;
  files: OutputFile[];
  missing: readonly string[];
  marker: NodeMarker | undefined;
  logTail: string;
  logs: LogPolicy;
}

export type Verdict =
  | { ok: true; outcome: NodeOutcome }
  | {
      ok: false;
      type: Extract<FailureType, 'NodeExited' | 'OutputsMissing' | 'NodeError' | 'NodeLost'>;
      message: string;
      exitCode?: number;
      /** By this host's clock. */
      endedAt?: number;
      /** Where the computation says that it happened: an error of one party is told to the others. */
      origin?: 'site' | 'central';
      /** Where the computation says so: what it is about. */
      scope?: string;
    };

const MAX_MESSAGE = 4000;
const MAX_CAUSE = 3500;

/** Whether a node that no longer runs has done its work, and if not, why. The node's own word on it comes first. */
export function judge(ending: NodeEnding): Verdict {
  const { condition, marker, missing, files } = ending;
  const exitCode = condition.state === 'exited' ? condition.exitCode : undefined;
  const failed = (type: Extract<Verdict, { ok: false }>['type'], cause: string): Verdict => ({
    ok: false,
    type,
    message: withLog(cause, ending),
    ...(exitCode !== undefined && { exitCode }),
    ...(condition.state === 'exited' && { endedAt: condition.endedAt }),
    ...(marker?.origin !== undefined && { origin: marker.origin }),
    ...(marker?.scope !== undefined && { scope: marker.scope }),
  });

  if (marker !== undefined) return failed('NodeError', inWords(marker));
  if (condition.state === 'absent')
    return failed('NodeLost', 'The node is gone, and how it ended is not known.');
  if (exitCode === undefined) return failed('NodeLost', 'The node ended, and its exit code is not known.');
  if (condition.outOfMemory) {
    return failed(
      'NodeExited',
      `The node was killed for using more memory than its limit (exit code ${exitCode}).`,
    );
  }
  if (exitCode !== 0)
    return failed('NodeExited', `The node exited with code ${exitCode}${signalOf(exitCode)}.`);
  if (missing.length > 0) {
    const globs = missing.map((glob) => `"${glob}"`).join(', ');
    return failed('OutputsMissing', `The node exited with code 0, but its output folder has no ${globs}.`);
  }
  return { ok: true, outcome: { exitCode: 0, endedAt: condition.endedAt, outputs: files } };
}

function inWords({ origin, stage = 'no stage given', scope, errorType, message }: NodeMarker): string {
  const where = [origin === 'central' ? 'central node' : origin, scope, stage];
  const type = errorType === undefined ? '' : `${errorType}: `;
  return `The computation reported (${where.filter((part) => part !== undefined).join(', ')}): ${type}${message}`;
}

/** Shells and container engines say 128 + n for a process that signal n ended. */
function signalOf(exitCode: number): string {
  const name = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0];
  return name === undefined ? '' : ` (${name})`;
}

/** `cause` with the last lines of the node's log, where they may leave the host; short enough for an error's message. */
export function withLog(cause: string, { logs, logTail }: Pick<NodeEnding, 'logs' | 'logTail'>): string {
  const sentence = printable(cause).slice(0, MAX_CAUSE);
  const log = logs === 'none' ? '' : printable(logTail).trim();
  if (log === '') return sentence;
  const heading = '\nLast lines of its log:\n';
  return `${sentence}${heading}${log.slice(-(MAX_MESSAGE - sentence.length - heading.length))}`;
}

/** Colours and control characters mean nothing outside a terminal, and databases refuse some of them. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[^\P{Cc}\n\t]/gu, '');
}
