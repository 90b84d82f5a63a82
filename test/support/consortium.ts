/**
 * A consortium as its people meet it: `muster try` is up, with a worker process per site, and runs are started and watched
 * through the central API, or on the page. Every workflow history that was made is replayed at the end.
 */
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { ApiUnreachable, createMusterApi, followRun, type MusterApi, type FollowedEvent } from '../../client';
import type { AddComputationData, PutConsortiumData } from '../../client/generated/types.gen';
import type { RunDetail } from '../../workflows/api-contract';
import { edgeRunWorkflowId, TERMINAL_RUN_STATES } from '../../workflows/contract';
import { unreplayable } from './replay';
import { everyEventOf } from './run-events';
import { historiesOf } from './sealed';
import { MusterProcess, type MusterOptions } from './try';

/** A consortium with its whole computation. */
export type ConsortiumDraft = Omit<PutConsortiumData['body'], 'computation'> & {
  computation: AddComputationData['body'];
};

export class Consortium {
  private constructor(
    readonly muster: MusterProcess,
    /** The page of the first run, with an access token. */
    readonly page: URL,
    readonly api: MusterApi,
  ) {}

  /** Starts `muster try ...args` and waits until its first run is complete and all is up. */
  static async open(args: readonly string[], options: MusterOptions = {}): Promise<Consortium> {
    const muster = await MusterProcess.start(['try', ...args], options);
    const [, link = ''] = await muster.says(/(http:\S+\/runs\/\S+#token=\S+)/);
    const [, state = ''] = await muster.says(/run \S+ (complete|failed|stopped) in/i);
    if (state !== 'complete')
      throw new Error(`The first run is ${state}:\n${muster.stdout}\n${muster.stderr}`);
    const page = new URL(link);
    const token = page.hash.replace('#token=', '');
    return new Consortium(muster, page, createMusterApi({ url: page.origin, token }));
  }

  /** Puts a consortium, with its computation as it is now. */
  async put(consortiumId: string, { computation, ...more }: ConsortiumDraft): Promise<void> {
    const { name, version } = computation;
    await this.api.addComputation({ body: computation, query: { replace: 'true' } });
    await this.api.putConsortium({
      path: { consortiumId },
      body: { ...more, computation: { name, version } },
    });
  }

  /** Puts a consortium and starts a run of it. */
  async start(consortiumId: string, body: ConsortiumDraft): Promise<string> {
    await this.put(consortiumId, body);
    const { runId } = await this.api.startRun({ path: { consortiumId } });
    return runId;
  }

  /** Resolves with the first picture of the run for which `want` holds; rejects when the run ended without it. */
  async until(runId: string, want: (detail: RunDetail) => boolean): Promise<RunDetail> {
    const leave = new AbortController();
    try {
      const first = await this.picture(runId);
      if (holds(want, first)) return first;
      for await (const _event of followRun(this.api, runId, {
        signal: leave.signal,
        lastEventId: first.lastEventId,
      })) {
        const detail = await this.picture(runId);
        if (holds(want, detail)) return detail;
      }
      throw new Error('the events ended');
    } finally {
      leave.abort();
    }
  }

  /** The run as it is now; an API that is being restarted is waited for. */
  private picture = (runId: string): Promise<RunDetail> =>
    this.muster.until('an answer of the API', () =>
      this.api.getRun({ path: { runId } }).catch((error: unknown) => {
        if (error instanceof ApiUnreachable) return undefined;
        throw error;
      }),
    );

  /** The run once it has ended. */
  ended = (runId: string) => this.until(runId, ({ run }) => TERMINAL_RUN_STATES.includes(run.state));

  /** Resolves once the parts of these sites in a run are over: a site tells its failure before it removes what it held. */
  async partsOver(runId: string, siteIds: readonly string[]): Promise<void> {
    await withTemporal(
      this.muster,
      ({ workflow }) =>
        Promise.all(siteIds.map((siteId) => workflow.getHandle(edgeRunWorkflowId(runId, siteId)).result())),
      await historiesOf(this.muster.state),
    );
  }

  /** The run once every node computes. */
  up = (runId: string) => this.until(runId, ({ nodes }) => nodes.every(({ state }) => state === 'running'));

  /** Everything that was ever told of a run. */
  async history(runId: string): Promise<FollowedEvent[]> {
    const { lastEventId } = await this.api.getRun({ path: { runId } });
    return everyEventOf(this.api, runId, lastEventId);
  }

  /** All that Temporal keeps of a workflow, as one text of bytes. */
  rawHistory(workflowId: string): Promise<string> {
    return withTemporal(this.muster, async (client) => {
      const history = await client.workflow.getHandle(workflowId).fetchHistory();
      return Buffer.from(temporal.api.history.v1.History.encode(history).finish()).toString('latin1');
    });
  }

  replayAll = () => replayAll(this.muster);
}

function holds(want: (detail: RunDetail) => boolean, detail: RunDetail): boolean {
  if (want(detail)) return true;
  const { state, error } = detail.run;
  if (TERMINAL_RUN_STATES.includes(state)) throw new Error(`The run is ${state}: ${JSON.stringify(error)}`);
  return false;
}

/** Replays all workflows of a stack with today's code; answers those that do not replay. */
export function replayAll(muster: MusterProcess): Promise<string[]> {
  return withTemporal(muster, async (client) =>
    unreplayable(client.workflow.list().intoHistories(), await historiesOf(muster.state)),
  );
}

/** `use` with a client that opens nothing but by `dataConverter`. */
async function withTemporal<T>(
  muster: MusterProcess,
  use: (client: Client) => Promise<T>,
  dataConverter: DataConverter = {},
): Promise<T> {
  const connection = await Connection.connect({ address: (await muster.process('temporal')).address });
  try {
    return await use(new Client({ connection, dataConverter }));
  } finally {
    await connection.close();
  }
}
