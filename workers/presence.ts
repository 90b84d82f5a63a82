/** An edge worker's sign of life: it tells the central API again and again that it is there, and when it leaves. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { CentralApi } from '../client';
import { engineAnswers } from '../nodes';
import type { PresenceBody } from '../workflows/api-contract';

/** The central API takes a worker for away after three times as long. */
const TELL_EVERY_MS = 15_000;
/** What is not heard in time is soon said again. */
const PATIENCE_MS = 10_000;
/** A worker that ends waits no longer for somebody to hear it. */
const FAREWELL_MS = 2_000;

export interface PresenceParts {
  api: Pick<CentralApi, 'reportPresence'>;
  siteId: string;
  log: Logger;
}

export class Presence {
  private readonly version = ownVersion();
  private runtimes: PresenceBody['runtimes'] = [];
  /** Said once, until it changes. */
  private complaint: string | undefined;

  constructor(private readonly parts: PresenceParts) {}

  /** Tells at once, and again and again until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.runtimes = (await engineAnswers()) ? ['docker', 'process'] : ['process'];
      await this.tell('here', AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]));
      await sleep(TELL_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Tells that this worker ends. */
  leave(): Promise<void> {
    return this.tell('leaving', AbortSignal.timeout(FAREWELL_MS));
  }

  private async tell(state: PresenceBody['state'], signal: AbortSignal): Promise<void> {
    const { api, siteId, log } = this.parts;
    const { runtimes, version } = this;
    try {
      await api.reportPresence(siteId, { state, runtimes, version }, signal);
      this.complaint = undefined;
    } catch (err) {
      const complaint = err instanceof Error ? err.message : String(err);
      if (complaint !== this.complaint)
        log.warn({ err }, 'the central API does not hear that this worker is there');
      this.complaint = complaint;
    }
  }
}

/** As package.json says, which is above the compiled code as it is above the sources. */
function ownVersion(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
