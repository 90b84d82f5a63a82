/** What central knows of its sites: whose statistics it has, whether there is a fit, and who has got it. */
import type { Moments } from './least-squares';
import type { GlobalFit } from './messages';

interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T): void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** The fit, or why there is none. */
export type Outcome = { fit: GlobalFit } | { error: string };

export class Federation {
  readonly #statistics = new Map<string, Moments>();
  readonly #acknowledged = new Set<string>();
  readonly #everyoneSent = deferred<undefined>();
  readonly #everyoneAcknowledged = deferred<undefined>();
  readonly #outcome = deferred<Outcome>();
  #settled = false;

  constructor(readonly sites: readonly string[]) {}

  /** Resolves when every site has sent its statistics. */
  readonly everyoneSent = this.#everyoneSent.promise;
  /** Resolves when every site has said that it has the fit. */
  readonly everyoneAcknowledged = this.#everyoneAcknowledged.promise;
  /** Resolves when there is a fit, or none can be made. */
  readonly outcome = this.#outcome.promise;

  get received(): number {
    return this.#statistics.size;
  }

  /** A site that lost its connection sends again; what it said first stands once there is an outcome. */
  submit(site: string, moments: Moments): void {
    if (!this.#settled) this.#statistics.set(site, moments);
    if (this.received === this.sites.length) this.#everyoneSent.resolve(undefined);
  }

  /** In the order of the sites, so that the last digits do not depend on who came first. */
  statistics(): Moments[] {
    return this.sites.flatMap((site) => this.#statistics.get(site) ?? []);
  }

  settle(outcome: Outcome): void {
    this.#settled = true;
    this.#outcome.resolve(outcome);
  }

  /** False where there is nothing that the site could have got from this central. */
  acknowledge(site: string): boolean {
    if (!this.#settled) return false;
    this.#acknowledged.add(site);
    if (this.#acknowledged.size === this.sites.length) this.#everyoneAcknowledged.resolve(undefined);
    return true;
  }
}
