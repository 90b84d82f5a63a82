/**
 * Writes down what nodes say of themselves. The run has no use for it, and the history of its workflow no room: it goes
 * straight to those who look. A talkative node is heard once a second; of what comes sooner, the last is kept.
 */
import type { FastifyBaseLogger } from 'fastify';
import type { NodeReport } from '../../workflows/contract';
import type { Reports } from '../reports';
import type { Launch } from './launches';

const PAUSE_MS = 1_000;

interface Pause {
  timer: NodeJS.Timeout;
  held?: NodeReport;
}

export interface NodeReports {
  /** Writes the report down, now or within a second. */
  take(from: Launch, report: NodeReport): Promise<void>;
  /** Drops what is still held back. */
  close(): void;
}

export function createNodeReports({
  reports,
  log,
}: {
  reports: Pick<Reports, 'progress'>;
  log: FastifyBaseLogger;
}): NodeReports {
  /** Of nodes that were heard within the last second. */
  const pauses = new Map<string, Pause>();

  function write(from: Launch, report: NodeReport): Promise<void> {
    const key = keyOf(from);
    const timer = setTimeout(() => {
      const held = pauses.get(key)?.held;
      pauses.delete(key);
      if (held === undefined) return;
      write(from, held).catch((err: unknown) => log.warn({ err, ...from }, 'node report lost'));
    }, PAUSE_MS);
    pauses.set(key, { timer });
    return reports.progress(from, report);
  }

  return {
    async take(from, report) {
      const pause = pauses.get(keyOf(from));
      if (pause) pause.held = report;
      else await write(from, report);
    },
    close() {
      for (const { timer } of pauses.values()) clearTimeout(timer);
      pauses.clear();
    },
  };
}

const keyOf = ({ runId, launchId, node }: Launch) => `${runId}/${launchId}/${node}`;
