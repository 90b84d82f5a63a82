/** An edge's connection to central. Central may come later, and may come back: a call is repeated until it answers. */
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials, EdgeKit } from './messages';
import { parseJson } from './shape';

export interface Answer {
  status: number;
  body: unknown;
}

/** Longer than central lets a call wait. */
const SILENCE_MS = 60_000;
const PATIENCE_MS = 600_000;
const BACKOFF_MS = { first: 50, factor: 1.5, most: 2000 };
/** Handshakes in a row after which central hangs up: it refuses this certificate. */
const MAX_HANG_UPS = 5;
const NOT_THERE = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
];

class CallFailed extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** Whether the connection was made and the certificates exchanged. */
    readonly connected: boolean,
  ) {
    super(message);
  }
}

export class EdgeClient {
  readonly #agent: Agent;

  constructor(
    private readonly central: Pick<EdgeKit, 'host' | 'port'>,
    credentials: Credentials,
    private readonly log: (text: string) => void,
  ) {
    this.#agent = new Agent({ ...credentials, keepAlive: true, maxSockets: 1, minVersion: 'TLSv1.3' });
  }

  /**
   * Posts to central until it answers.
   * @throws Error when central is not this run's, refuses this node, or is not there for `patienceMs`
   */
  async post(path: string, message: object, patienceMs = PATIENCE_MS): Promise<Answer> {
    const giveUpAt = Date.now() + patienceMs;
    let hangUps = 0;
    let last = '';
    for (let wait = BACKOFF_MS.first; ; wait = Math.min(wait * BACKOFF_MS.factor, BACKOFF_MS.most)) {
      try {
        return await this.#call(path, message);
      } catch (error) {
        if (!(error instanceof CallFailed) || !NOT_THERE.includes(error.code)) throw error;
        hangUps = error.connected ? hangUps + 1 : 0;
        if (hangUps === MAX_HANG_UPS)
          throw new Error(`${this.#address} hangs up: it does not accept this node's certificate`);
        if (Date.now() + wait > giveUpAt)
          throw new Error(`${this.#address} cannot be reached: ${error.message}`);
        if (error.code !== last) this.log(`${this.#address} does not answer (${error.code}), trying again`);
        last = error.code;
      }
      await sleep(wait);
    }
  }

  get #address(): string {
    return `Central at ${this.central.host}:${this.central.port}`;
  }

  #call(path: string, message: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let connected = false;
      const headers = { 'content-type': 'application/json' };
      const { host, port } = this.central;
      const call = request({
        host,
        port,
        path,
        method: 'POST',
        agent: this.#agent,
        headers,
        timeout: SILENCE_MS,
      });
      call.on('socket', (socket) => {
        if (!call.reusedSocket) socket.once('secureConnect', () => (connected = true));
      });
      call.on('timeout', () => call.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
      call.on('error', (error) => {
        const code = 'code' in error ? String(error.code) : '';
        reject(new CallFailed(code, `${this.#address}: ${error.message || code}`, connected));
      });
      call.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', (error) => reject(new CallFailed('ECONNRESET', error.message, false)));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, body: parseJson(text, "Central's answer") });
        });
      });
      call.end(JSON.stringify(message));
    });
  }
}
