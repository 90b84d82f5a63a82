/** What a site can say to a gateway, and what it should not: call by call, and byte by byte. */
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { Client, Metadata, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { temporal as api } from '@temporalio/proto';
import { siteQueue } from '../../../workflows/contract';
import type { Certified } from '../../support/certificates';

export const SERVICE = '/temporal.api.workflowservice.v1.WorkflowService/';
export const { workflowservice: messages } = api.api;

/** As whom somebody connects, and which authority of the gateway's certificate is believed (PEM). */
export interface Credentials extends Certified {
  trusted: string;
}

/** A connection on which a site may do what HTTP/2 allows, and more. */
export function connectHttp2(port: number, { cert, key, trusted }: Credentials): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, { ca: trusted, cert, key });
  session.on('error', () => undefined);
  return session;
}

/** A client of a site that says what it likes. */
export function connectRawSite(
  port: number,
  { cert, key, trusted, siteId, namespace }: Credentials & { siteId: string; namespace: string },
): RawSite {
  const [root, privateKey, chain] = [trusted, key, cert].map((pem) => Buffer.from(pem));
  const client = new Client(`127.0.0.1:${port}`, credentials.createSsl(root, privateKey, chain), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
  });
  return new RawSite(client, siteId, namespace);
}

/** How a call ended on a bare HTTP/2 stream; `undefined` where it broke off without a status. */
export interface Ending {
  status: number | undefined;
  message: string;
}

/** Opens a stream and says nothing on it but headers. */
export function openStream(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  return stream;
}

/** A message as it is sent over a stream. */
export function frame(body: Uint8Array, compressed = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

export function ending(stream: ClientHttp2Stream): Promise<Ending> {
  const said: IncomingHttpHeaders = {};
  const note = (headers: IncomingHttpHeaders) => void Object.assign(said, headers);
  stream.on('response', note).on('trailers', note);
  stream.resume();
  return new Promise((resolve) => {
    stream.once('close', () => {
      const code = said['grpc-status'];
      resolve({
        status: code === undefined ? undefined : Number(code),
        message: String(said['grpc-message'] ?? ''),
      });
    });
  });
}

/** How a call ended. */
export interface Outcome {
  code: status;
  details: string;
  body: Buffer;
  metadata?: Metadata;
}

type Encodable<T> = { encode(message: T): { finish(): Uint8Array } };

export class RawSite {
  constructor(
    readonly client: Client,
    readonly siteId: string,
    private readonly namespace: string,
  ) {}

  /** One call, with any bytes as its message. */
  send(
    path: string,
    body: Uint8Array,
    {
      signal,
      deadline,
      metadata = new Metadata(),
    }: { signal?: AbortSignal; deadline?: number; metadata?: Metadata } = {},
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      const same = (bytes: Buffer) => bytes;
      const options = deadline === undefined ? {} : { deadline };
      const done = (error: ServiceError | null, answer?: Buffer) =>
        resolve(
          error
            ? { code: error.code, details: error.details, metadata: error.metadata, body: Buffer.alloc(0) }
            : { code: status.OK, details: '', body: answer ?? Buffer.alloc(0) },
        );
      const call = this.client.makeUnaryRequest(path, same, same, Buffer.from(body), metadata, options, done);
      signal?.addEventListener('abort', () => call.cancel());
    });
  }

  call<T extends object>(
    name: string,
    type: Encodable<T>,
    message: T,
    options?: Parameters<RawSite['send']>[2],
  ): Promise<Outcome> {
    return this.send(SERVICE + name, type.encode(message).finish(), options);
  }

  async poll(
    change: api.api.workflowservice.v1.IPollActivityTaskQueueRequest = {},
    options?: Parameters<RawSite['send']>[2],
  ): Promise<Outcome & { task: api.api.workflowservice.v1.PollActivityTaskQueueResponse }> {
    const outcome = await this.call(
      'PollActivityTaskQueue',
      messages.v1.PollActivityTaskQueueRequest,
      {
        namespace: this.namespace,
        taskQueue: {
          name: siteQueue(this.siteId),
          kind: api.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL,
        },
        identity: 'raw',
        ...change,
      },
      options,
    );
    return { ...outcome, task: messages.v1.PollActivityTaskQueueResponse.decode(outcome.body) };
  }

  complete(
    taskToken: Uint8Array,
    change: api.api.workflowservice.v1.IRespondActivityTaskCompletedRequest = {},
  ): Promise<Outcome> {
    return this.call('RespondActivityTaskCompleted', messages.v1.RespondActivityTaskCompletedRequest, {
      taskToken,
      namespace: this.namespace,
      identity: 'raw',
      ...change,
    });
  }

  heartbeat(
    taskToken: Uint8Array,
    change: api.api.workflowservice.v1.IRecordActivityTaskHeartbeatRequest = {},
  ): Promise<Outcome> {
    return this.call('RecordActivityTaskHeartbeat', messages.v1.RecordActivityTaskHeartbeatRequest, {
      taskToken,
      namespace: this.namespace,
      ...change,
    });
  }
}
