/** A server that takes webhooks, and looks at their signatures as Standard Webhooks says. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebhookMessage } from '../../workflows/notice-contract';

export interface Received {
  id: string;
  message: WebhookMessage;
  /** Whether it was signed with the secret. */
  isGenuine: boolean;
}

export class WebhookReceiver {
  secret = '';
  readonly received: Received[] = [];
  /** What each request is answered with, in turn; then 204. `undefined`: never. */
  answers: (number | undefined)[] = [];
  headers: Record<string, string> = {};
  private readonly server = createServer((request, response) => void this.take(request, response));

  /** @param port 0 is one that is free */
  async open(port = 0): Promise<this> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const header = (name: string) => String(request.headers[name] ?? '');
    const id = header('webhook-id');
    const signed = `${id}.${header('webhook-timestamp')}.${body}`;
    const key = Buffer.from(this.secret.slice('whsec_'.length), 'base64');
    const expected = Buffer.from(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    const given = Buffer.from(header('webhook-signature'));
    const isFresh = Math.abs(Date.now() / 1000 - Number(header('webhook-timestamp'))) < 300;
    const isGenuine = isFresh && given.length === expected.length && timingSafeEqual(given, expected);
    this.received.push({ id, message: WebhookMessage.parse(JSON.parse(body)), isGenuine });
    const answer = this.answers.length > 0 ? this.answers.shift() : 204;
    if (answer !== undefined) response.writeHead(answer, this.headers).end();
  }
}
