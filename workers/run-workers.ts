/** What both kinds of worker share: logging, the connection to Temporal, running until told to stop. */
import { destination, pino, stdSerializers, type DestinationStream, type Logger } from 'pino';
import {
  NativeConnection,
  Runtime,
  makeTelemetryFilterString,
  type LogLevel,
  type NativeConnectionOptions,
  type Worker,
} from '@temporalio/worker';
import { SettingsError, logLevel } from './settings';

/** A line of this message says that a worker polls its queue; whoever started it may wait for it. */
const READY = 'ready';

/** Log of one part, one JSON line an event. Anything named like a secret is left out. */
export function createLog(part: string, level: string, to: DestinationStream = destination(1)): Logger {
  const secrets = ['token', 'reportToken', 'secretKey', 'url'];
  const redact = { paths: secrets.flatMap((name) => [name, `*.${name}`]), remove: true };
  // The SDK calls its errors `error`.
  const serializers = { err: stdSerializers.err, error: stdSerializers.err };
  return pino({ base: { part }, level, redact, serializers }, to);
}

/** Sends the SDK's own log lines, and those of its native core, to ours, so that there is one log. */
export function logTemporalTo(log: Logger): void {
  const write = (level: LogLevel, message: string, meta?: Record<string | symbol, unknown>) => {
    const name =
      level === 'WARN' ? 'warn' : level === 'ERROR' ? 'error' : level === 'INFO' ? 'info' : 'debug';
    log[name]({ ...meta }, message);
  };
  Runtime.install({
    logger: {
      log: write,
      trace: (message, meta) => write('TRACE', message, meta),
      debug: (message, meta) => write('DEBUG', message, meta),
      info: (message, meta) => write('INFO', message, meta),
      warn: (message, meta) => write('WARN', message, meta),
      error: (message, meta) => write('ERROR', message, meta),
    },
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
    },
  });
}

/** @throws Error that says what was looked for, where, and why it was not found */
export async function connect(what: string, options: NativeConnectionOptions): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`no answer from ${what}: ${reason}`, { cause: error });
  }
}

/**
 * Runs workers until the process is told to end; they hand their work on and leave nodes running.
 * @param beside what goes on beside them, until its signal aborts
 */
export async function runUntilStopped(
  log: Logger,
  workers: Worker[],
  beside: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const ending = new AbortController();
  const running = Promise.all(workers.map((worker) => worker.run())).finally(() => ending.abort());
  void beside(ending.signal);
  log.info({ queues: workers.map((worker) => worker.options.taskQueue), pid: process.pid }, READY);
  await running;
}

/**
 * Runs an entry point. A failure is one line on stderr; its stack is in the log, unless it is a mistake in the settings,
 * of which the line says it all.
 */
export async function main(part: string, start: (log: Logger) => Promise<void>): Promise<void> {
  let log: Logger | undefined;
  try {
    log = createLog(part, logLevel(process.env));
    await start(log);
    process.exit(0);
  } catch (error) {
    const mistake = error instanceof SettingsError;
    if (!mistake) log?.fatal({ err: error }, 'ended by an error');
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    process.stderr.write(`${part}: ${line}\n`);
    process.exit(mistake ? 2 : 1);
  }
}
