/** An edge worker's sign of life: it tells the central API again and again that it is there, and when it leaves. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { CentralApi } from '../client/central-api';
import { engineAnswers } from '../nodes';
import { timeLimit } from '../time/limit';
import type { PresenceBody } from '../workflows/api-contract';
import type { SiteNews } from '../workflows/consortium-contract';

/** The central API takes a worker for away after three times as long. */
const TELL_EVERY_MS = 15_000;
/** What is not heard in time is soon said again. */
const PATIENCE_MS = 10_000;
/** A worker that ends waits no longer for somebody to hear it. */
const FAREWELL_MS = 2_000;

export interface PresenceParts {
  api: Pick<CentralApi, 'reportPresence'>;
  siteId: string;
  version: string;
  /** What is to be done with what the API answers. */
  onNews(news: SiteNews, signal: AbortSignal): Promise<void>;
  log: Logger;
}

export class Presence {
  private runtimes: PresenceBody['runtimes'] = [];
  /** Said once, until it changes. */
  private complaint: string | undefined;

  constructor(private readonly parts: PresenceParts) {}

  /** Tells at once, and again and again until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.runtimes = (await engineAnswers()) ? ['docker', 'process'] : ['process'];
      const limited = () => AbortSignal.any([signal, timeLimit(PATIENCE_MS)]);
      const news = await this.tell('here', limited());
      if (news !== undefined) await this.parts.onNews(news, limited());
      await sleep(TELL_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Tells that this worker ends. */
  async leave(): Promise<void> {
    await this.tell('leaving', timeLimit(FAREWELL_MS));
  }

  private async tell(state: PresenceBody['state'], signal: AbortSignal): Promise<SiteNews | undefined> {
    const { api, siteId, version, log } = this.parts;
    const { runtimes } = this;
    try {
      const news = await api.reportPresence(siteId, { state, runtimes, version }, signal);
      this.complaint = undefined;
      return news;
    } catch (err) {
      const complaint = err instanceof Error ? err.message : String(err);
      if (complaint !== this.complaint)
        log.warn({ err }, 'the central API does not hear that this worker is there');
      this.complaint = complaint;
      return undefined;
    }
  }
}

/** As package.json says, which is above the compiled code as it is above the sources. */
export function ownVersion(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
