/**
 * Which certificates are good no more, as the central API knows it. The gateway asks it every two seconds and answers from
 * memory. While the API is away the last list stays good for as long as it takes: nobody can be cut off without the API, and
 * nobody who was is let in again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { timeLimit } from '../../time/limit';
import { Admissions as RevokedCertificates } from '../../workflows/identity-contract';
import type { Admissions, SiteIdentity } from './identity';

const REFRESH_MS = 2_000;
const ANSWER_MS = 5_000;
/** Of an API that is away the log says so this often. */
const COMPLAIN_MS = 60_000;

export interface ApiAccess {
  url: string;
  token: string;
}

export class ApiAdmissions implements Admissions {
  private revoked: ReadonlySet<string> = new Set();
  private etag: string | undefined;
  private complainedAt = -Infinity;
  private readonly listeners = new Set<() => void>();

  private constructor(
    private readonly api: ApiAccess,
    private readonly log: Logger,
  ) {}

  /** Waits for the first list, and keeps it up to date until the signal aborts. */
  static async open(api: ApiAccess, log: Logger, signal: AbortSignal): Promise<ApiAdmissions> {
    const admissions = new ApiAdmissions(api, log);
    while (!(await admissions.refresh(signal))) await sleep(REFRESH_MS, undefined, { signal });
    void admissions.keepFresh(signal);
    return admissions;
  }

  admits({ serial }: SiteIdentity): boolean {
    return !this.revoked.has(serial);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private async keepFresh(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.refresh(signal);
      await sleep(REFRESH_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Whether the list is the API's now. */
  private async refresh(signal: AbortSignal): Promise<boolean> {
    try {
      const answer = await fetch(`${this.api.url}/api/gateway/admissions`, {
        headers: {
          authorization: `Bearer ${this.api.token}`,
          ...(this.etag !== undefined && { 'if-none-match': this.etag }),
        },
        signal: AbortSignal.any([signal, timeLimit(ANSWER_MS)]),
      });
      if (answer.status !== 304) await this.take(answer);
      return true;
    } catch (error) {
      this.complain(error);
      return false;
    }
  }

  private async take(answer: Response): Promise<void> {
    if (!answer.ok) throw new Error(`it answered ${answer.status} ${answer.statusText}`);
    const { revoked } = RevokedCertificates.parse(await answer.json());
    this.revoked = new Set(revoked);
    this.etag = answer.headers.get('etag') ?? undefined;
    for (const listener of this.listeners) listener();
  }

  private complain(error: unknown): void {
    const now = performance.now();
    if (now - this.complainedAt < COMPLAIN_MS) return;
    this.complainedAt = now;
    const why = error instanceof Error ? error.message : String(error);
    this.log.warn({ why, api: this.api.url }, 'the API does not say which sites are cut off');
  }
}
