/** Temporal's frontend, as the gateway calls it: bytes in, bytes out. */
import { Client, Metadata, credentials, status, type ServiceError } from '@grpc/grpc-js';
import type { TlsMaterial } from '../../certificates/tls-files';
import { CallFailure } from './refusal';
import type { Answer } from './grpc';

export interface TemporalAddress {
  /** host:port */
  address: string;
  /** TLS, where it is wanted. */
  tls?: TlsMaterial | undefined;
}

export interface TemporalCall {
  path: string;
  body: Buffer;
  headers: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  deadline: number;
  /** Ends the call at Temporal too; its reason is what the call then fails with. */
  signal: AbortSignal;
}

export interface Temporal {
  /** @throws the signal's reason, once it is aborted */
  call(call: TemporalCall): Promise<Answer>;
  close(): void;
}

const DETAILS = 'grpc-status-details-bin';

const OPTIONS = {
  // Sites' workers try again themselves.
  'grpc.enable_retries': 0,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // Temporal may be away for a while; nobody shall wait for it longer than needed when it is back.
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.enable_channelz': 0,
};

/** Connects when it is first called, and again whenever the connection is lost. */
export function connectTemporal({ address, tls }: TemporalAddress): Temporal {
  const security = tls
    ? credentials.createSsl(bytes(tls.ca), bytes(tls.key), bytes(tls.cert))
    : credentials.createInsecure();
  const client = new Client(address, security, OPTIONS);
  return {
    call: ({ path, body, headers, deadline, signal }) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const metadata = new Metadata();
        for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
        const call = client.makeUnaryRequest(
          path,
          same,
          same,
          body,
          metadata,
          { deadline },
          (error, answer) => {
            signal.removeEventListener('abort', cancel);
            if (signal.aborted) reject(reasonOf(signal));
            else resolve(error ? failed(error) : { code: status.OK, body: answer ?? Buffer.alloc(0) });
          },
        );
        const cancel = () => call.cancel();
        signal.addEventListener('abort', cancel, { once: true });
      }),
    close: () => client.close(),
  };
}

const bytes = (pem: string | undefined) => (pem === undefined ? null : Buffer.from(pem));
const same = (bytes: Buffer) => bytes;

function failed({ code, details, metadata }: ServiceError): Answer {
  // The text names addresses of the centre's network.
  if (code === status.UNAVAILABLE) return { code, message: 'Temporal cannot be reached at the moment' };
  const [encoded] = metadata.get(DETAILS);
  return { code, message: details, details: Buffer.isBuffer(encoded) ? encoded : undefined };
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new CallFailure(status.CANCELLED, 'cancelled');
}
