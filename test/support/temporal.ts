/** Temporal for one test file: a namespace of its own on the server of this jest run. */
import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { ensureNamespace } from '../../dev/namespace';
import { EDGE_RUN_WORKFLOW, RUN_WORKFLOW } from '../../workflows/contract';
import { NOTICE_WORKFLOW } from '../../workflows/notice-delivery';
import { fromSetup } from './from-setup';
import { testHistories } from './sealed';
import { unreplayable, workflowBundle } from './replay';

const OUR_WORKFLOWS = `WorkflowType IN ('${RUN_WORKFLOW}', '${EDGE_RUN_WORKFLOW}', '${NOTICE_WORKFLOW}')`;

/** A file of many runs has many histories, and each is replayed by a workflow worker of its own. */
const REPLAYED_MS = 300_000;

/** What a test file gets from {@link useTemporal}; all of it is there in `beforeAll` and later. */
export interface TestTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly connection: Connection;
  readonly client: Client;
  /** What workers connect with. */
  readonly nativeConnection: NativeConnection;
  /** For `workflowBundle` of a worker: that of the sources as they are now. */
  readonly workflowBundle: { codePath: string };
  /** Starts a worker that is shut down by {@link stopWorkers}, at the latest when the file ends. */
  startWorker(options: Omit<WorkerOptions, 'connection' | 'namespace'>): Promise<Worker>;
  /** Shuts down workers, every one that was started if none is named; resolves when none of them polls any more. */
  stopWorkers(...which: Worker[]): Promise<void>;
  /**
   * Does something when the file ends, before the connections close; the last one asked for comes first. (Jest would
   * call the file's own `afterAll` too late for that.)
   */
  onClose(action: () => unknown): void;
}

/**
 * Gives the test file a namespace of its own. When the file ends, every run it made is replayed from its history: a
 * workflow that would not replay fails the file.
 */
export function useTemporal(): TestTemporal {
  const temporal = new FileTemporal();
  beforeAll(() => temporal.open());
  afterAll(() => temporal.close(), REPLAYED_MS);
  return temporal;
}

class FileTemporal implements TestTemporal {
  readonly namespace = `test-${randomBytes(6).toString('hex')}`;
  connection!: Connection;
  client!: Client;
  nativeConnection!: NativeConnection;
  private readonly closing: (() => unknown)[] = [];
  private workers: { worker: Worker; running: Promise<void> }[] = [];

  get address(): string {
    return fromSetup('MUSTER_TEST_TEMPORAL_ADDRESS');
  }

  get workflowBundle(): { codePath: string } {
    return workflowBundle();
  }

  async open(): Promise<void> {
    Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
    const { address, namespace } = this;
    [this.connection, this.nativeConnection] = await Promise.all([
      Connection.connect({ address }),
      NativeConnection.connect({ address }),
    ]);
    this.client = new Client({ connection: this.connection, namespace, dataConverter: testHistories });
    await ensureNamespace(this.connection, namespace);
  }

  async startWorker(options: Omit<WorkerOptions, 'connection' | 'namespace'>): Promise<Worker> {
    const { namespace, nativeConnection: connection } = this;
    const worker = await Worker.create({ dataConverter: testHistories, ...options, namespace, connection });
    this.workers.push({ worker, running: worker.run() });
    return worker;
  }

  async stopWorkers(...which: Worker[]): Promise<void> {
    const isMeant = ({ worker }: { worker: Worker }) => which.length === 0 || which.includes(worker);
    const workers = this.workers.filter(isMeant);
    this.workers = this.workers.filter((each) => !isMeant(each));
    for (const { worker } of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(workers.map(({ running }) => running));
  }

  onClose(action: () => unknown): void {
    this.closing.unshift(action);
  }

  async close(): Promise<void> {
    try {
      await this.stopWorkers();
      for (const action of this.closing) await action();
      await this.replayAll();
    } finally {
      await Promise.all([this.connection.close(), this.nativeConnection.close()]);
    }
  }

  private async replayAll(): Promise<void> {
    const histories = this.client.workflow.list({ query: OUR_WORKFLOWS }).intoHistories();
    const failures = await unreplayable(histories, testHistories);
    if (failures.length > 0) throw new Error(`Runs that do not replay:\n${failures.join('\n')}`);
  }
}
