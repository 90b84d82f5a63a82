/**
 * What changes in what people look at, told to all who listen. While somebody listens, the database is looked at once for all of them:
 * at once when something was changed by this process, and every few seconds for what other replicas changed.
 */
import type { FastifyBaseLogger } from 'fastify';
import { randomBytes } from 'node:crypto';
import type { Change } from '../../workflows/changes-contract';
import { createWakes, type Listener } from '../wakes';
import { concerns, type Reader, type Told } from './audience';
import type { Sources } from './sources';

const POLL_MS = 2_000;
const SITES_MS = 5_000;
/** Many changes at once are one look. */
const REST_MS = 100;
/** For so long it is looked on after the last reader has left: it may be coming back. */
const LINGER_MS = 30_000;
const REMEMBERED = 2_000;

/** A message, and where the reader is after it. */
export interface Message {
  id: string;
  change: Change;
}

export interface Subscription {
  /** What concerns the reader since the last time. */
  take(reader: Reader): Message[];
  /** Resolves when there may be more, and at the latest after `ms`. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface Changes {
  /** Listens from after a message on, as far as it is remembered; else the first message is `look-again`. */
  subscribe(lastId: string | undefined): Promise<Subscription>;
  /** Something may have changed. */
  wake(): void;
  close(): Promise<void>;
}

interface Deps {
  open: () => Promise<Sources>;
  log: FastifyBaseLogger;
  clock?: () => number;
}

const LOOK = 'look';
const TOLD = 'told';

export function createChanges({ open, log, clock = Date.now }: Deps): Changes {
  const wakes = createWakes();
  const closing = new AbortController();
  let readers = 0;
  let leftAt = 0;
  /** Messages are numbered within the time in which it was looked without a break. */
  let epoch = '';
  let first = 1;
  let told: Told[] = [];
  let watching: Promise<void> | undefined;
  let opening: Promise<Sources> | undefined;

  const isWatching = () => watching !== undefined;
  const next = () => first + told.length;

  function tell(news: readonly Told[]): void {
    if (news.length === 0) return;
    told.push(...news);
    const over = Math.max(0, told.length - REMEMBERED);
    told = told.slice(over);
    first += over;
    wakes.ring(TOLD);
  }

  async function watch(sources: Sources): Promise<void> {
    const listener = wakes.listen(LOOK);
    let sitesAt = clock();
    while (!closing.signal.aborted && (readers > 0 || clock() - leftAt < LINGER_MS)) {
      await listener.wait(POLL_MS, closing.signal);
      try {
        tell(await sources.look());
        if (clock() - sitesAt >= SITES_MS) {
          sitesAt = clock();
          tell(await sources.lookAtSites());
        }
      } catch (err) {
        log.warn({ err }, 'cannot see what has changed: it is looked again');
      }
      await rest(closing.signal);
    }
    listener.close();
  }

  /** Resolves when nothing that happens from now on is missed. */
  async function begin(): Promise<void> {
    if (isWatching()) return;
    opening ??= open();
    try {
      const sources = await opening;
      // Another one may have been waiting for the same.
      if (isWatching()) return;
      epoch = randomBytes(6).toString('hex');
      [first, told] = [1, []];
      watching = watch(sources).finally(() => {
        watching = undefined;
      });
    } finally {
      opening = undefined;
    }
  }

  function positionOf(id: string | undefined): number | undefined {
    const [, of, number] = /^([0-9a-f]+)-(\d+)$/.exec(id ?? '') ?? [];
    if (of !== epoch || number === undefined) return undefined;
    const at = Number(number) + 1;
    return at >= first && at <= next() ? at : undefined;
  }

  return {
    async subscribe(lastId) {
      readers += 1;
      const listener: Listener = wakes.listen(TOLD);
      const close = () => {
        listener.close();
        readers -= 1;
        leftAt = clock();
      };
      try {
        await begin();
      } catch (error) {
        close();
        throw error;
      }
      let [of, at] = [epoch, positionOf(lastId)];
      return {
        take(reader) {
          if (at === undefined || at < first || of !== epoch) {
            [of, at] = [epoch, next()];
            return [{ id: `${epoch}-${at - 1}`, change: { type: 'look-again' } }];
          }
          const from = at;
          const news = told.slice(from - first);
          at = next();
          return news.flatMap((one, index) =>
            concerns(one, reader) ? [{ id: `${epoch}-${from + index}`, change: one.change }] : [],
          );
        },
        wait: (ms, signal) => listener.wait(ms, signal),
        close,
      };
    },
    wake: () => wakes.ring(LOOK),
    async close() {
      closing.abort();
      await watching;
    },
  };
}

const rest = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, REST_MS);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
