/**
 * Passes on to the run what its nodes say of themselves. Each word becomes part of the workflow's history, which has a
 * limit, so a talkative node is heard ever less often: after n words, the next must be n tenths of a second later, but at
 * least a second, and of those that come sooner only the last is kept. A day of chatter is then some 1,300 words.
 */
import type { FastifyBaseLogger } from 'fastify';
import type { NodeReport } from '../../workflows/contract';
import type { Launch } from './launches';
import type { Runs } from './temporal';

const STEP_MS = 100;
const LEAST_MS = 1_000;
const MAX_REMEMBERED = 10_000;

interface Speaker {
  words: number;
  /** Before this moment nothing more is passed on. */
  nextAt: number;
  held?: { report: NodeReport; timer: NodeJS.Timeout };
}

export interface NodeReports {
  /** Passes the report on, now or later; answers `false` if the run is known to have ended. */
  take(from: Launch, report: NodeReport): Promise<boolean>;
  /** Drops what is still held back. */
  close(): void;
}

export function createNodeReports({
  temporal,
  log,
}: {
  temporal: Runs;
  log: FastifyBaseLogger;
}): NodeReports {
  const speakers = new Map<string, Speaker>();

  function speakerOf({ runId, launchId, node }: Launch): Speaker {
    const key = `${runId}/${launchId}/${node}`;
    const speaker = speakers.get(key) ?? { words: 0, nextAt: 0 };
    const [oldest] = speakers.keys();
    if (speakers.size >= MAX_REMEMBERED && oldest !== undefined) speakers.delete(oldest);
    speakers.set(key, speaker);
    return speaker;
  }

  function pass({ runId, launchId, node }: Launch, speaker: Speaker, report: NodeReport): Promise<boolean> {
    speaker.words += 1;
    speaker.nextAt = Date.now() + Math.max(speaker.words * STEP_MS, LEAST_MS);
    return temporal.signalStatus(runId, { launchId, node, report });
  }

  function passLater(from: Launch, speaker: Speaker): void {
    const { held } = speaker;
    if (held === undefined) return;
    delete speaker.held;
    pass(from, speaker, held.report).catch((err: unknown) => log.warn({ err, ...from }, 'node report lost'));
  }

  return {
    async take(from, report) {
      const speaker = speakerOf(from);
      if (speaker.held) {
        speaker.held.report = report;
        return true;
      }
      const wait = speaker.nextAt - Date.now();
      if (wait <= 0) return pass(from, speaker, report);
      const timer = setTimeout(() => passLater(from, speaker), wait);
      speaker.held = { report, timer };
      return true;
    },
    close() {
      for (const { held } of speakers.values()) clearTimeout(held?.timer);
    },
  };
}
