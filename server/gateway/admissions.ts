/**
 * Which certificates are good no more, as the central API knows it. The gateway asks it every two seconds and answers from
 * memory. While the API is away the last list stays good for as long as it takes: nobody can be cut off without the API, and
 * nobody who was is let in again. By its asking, the API knows that the gateway is there.
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
  /** How this gateway calls itself there. */
  name: string;
}

/** What a gateway calls itself that listens on `port` of `host`. */
export const gatewayName = (host: string, port: number): string =>
  `${host.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 255) || 'localhost'}:${port}`;

export class ApiAdmissions implements Admissions {
  private revoked: ReadonlySet<string> = new Set();
  private etag: string | undefined;
  private complainedAt = -Infinity;
  private ended: Promise<void> = Promise.resolve();
  private readonly listeners = new Set<() => void>();

  private constructor(
    private readonly api: ApiAccess,
    private readonly log: Logger,
  ) {}

  /** Waits for the first list, and keeps it up to date until the signal aborts. */
  static async open(api: ApiAccess, log: Logger, signal: AbortSignal): Promise<ApiAdmissions> {
    const admissions = new ApiAdmissions(api, log);
    while (!(await admissions.refresh())) await sleep(REFRESH_MS, undefined, { signal });
    admissions.ended = admissions.keepFresh(signal);
    return admissions;
  }

  /** Tells the API, after the signal has aborted, that this gateway ends: else it would be missed. */
  async leave(): Promise<void> {
    // What is under way comes first: if it were cut off, the API might hear it after the last word.
    await this.ended;
    try {
      const answer = await this.ask(`/api/gateways/${encodeURIComponent(this.api.name)}`, 'DELETE');
      if (!answer.ok) throw new Error(`it answered ${answer.status} ${answer.statusText}`);
    } catch (error) {
      this.log.warn(
        { why: messageOf(error), api: this.api.url },
        'cannot tell the API that this gateway ends',
      );
    }
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
      await this.refresh();
      await sleep(REFRESH_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Whether the list is the API's now. */
  private async refresh(): Promise<boolean> {
    try {
      const path = `/api/gateway/admissions?gateway=${encodeURIComponent(this.api.name)}`;
      const answer = await this.ask(path, 'GET', {
        ...(this.etag !== undefined && { 'if-none-match': this.etag }),
      });
      if (answer.status !== 304) await this.take(answer);
      return true;
    } catch (error) {
      this.complain(error);
      return false;
    }
  }

  private ask(path: string, method: 'GET' | 'DELETE', headers: Record<string, string> = {}) {
    return fetch(this.api.url + path, {
      method,
      headers: { authorization: `Bearer ${this.api.token}`, ...headers },
      signal: timeLimit(ANSWER_MS),
    });
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
    this.log.warn(
      { why: messageOf(error), api: this.api.url },
      'the API does not say which sites are cut off',
    );
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
