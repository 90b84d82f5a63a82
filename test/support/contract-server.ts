/** A small HTTP server that speaks the central API's contract as a test tells it to, and remembers what it was asked. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: unknown;
}
export type Answer = (request: SeenRequest, response: ServerResponse) => void;

export class ContractServer {
  readonly seen: SeenRequest[] = [];
  answer: Answer = (_request, response) => response.writeHead(204).end();
  private server: Server | undefined;
  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, on the port it had before if it ran already. */
  async start(): Promise<void> {
    const server = createServer((request, response) => {
      void this.serve(request, response);
    });
    // As the API does; Node's 5 s may end between two calls just when the second one is sent.
    server.keepAliveTimeout = 72_000;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Stops it as a killed process would: connections are cut. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request).catch(() => Buffer.alloc(0));
    const isJson = request.headers['content-type'] === 'application/json';
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: isJson ? (JSON.parse(body.toString()) as unknown) : body.length > 0 ? body : undefined,
    };
    this.seen.push(seen);
    this.answer(seen, response);
  }
}

/** Answers with `body` as JSON. */
export const json =
  (status: number, body: unknown, type = 'application/json'): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
  };

/** Answers with a problem. */
export const problem = (status: number, title: string, extra: object = {}): Answer =>
  json(status, { type: 'about:blank', title, status, ...extra }, 'application/problem+json');
