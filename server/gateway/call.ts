/** One call of a site: an HTTP/2 stream that is read once and answered once, whatever happens to it meanwhile. */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { ENCODINGS, RequestReader, framed, timeoutOf, trailersOf, type Answer } from './grpc';
import { CallFailure, Refusal } from './refusal';

export class Call {
  readonly path: string;
  private readonly ending = new AbortController();
  private deadlineTimer: NodeJS.Timeout | undefined;
  private answered = false;

  constructor(
    private readonly stream: ServerHttp2Stream,
    private readonly headers: IncomingHttpHeaders,
    private readonly transferMs: number,
  ) {
    this.path = headers[':path'] ?? '';
    // What breaks a stream also closes it.
    stream.on('error', () => undefined);
    stream.once('close', () => {
      if (!this.answered) this.end(new CallFailure(status.CANCELLED, 'the site has cancelled the call'));
    });
  }

  /** Aborts when there is nobody to answer any more, or nothing but how the call has ended: that is its reason. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  header(name: string): string | undefined {
    const value = this.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** @throws Refusal unless it is a gRPC call */
  mustBeGrpc(): void {
    const type = this.header('content-type') ?? '';
    const isGrpc = /^application\/grpc(\+proto)?($|;)/.test(type);
    if (this.header(':method') !== 'POST' || !isGrpc)
      throw new Refusal('not-grpc', 'only gRPC is spoken here');
  }

  /**
   * From now on the call has so long, or as long as its caller says if that is less.
   * @returns when it ends, in milliseconds since 1970
   */
  limitTo(mostMs: number): number {
    const ms = Math.min(mostMs, timeoutOf(this.header('grpc-timeout')) ?? mostMs);
    this.deadlineTimer = setTimeout(() => {
      this.end(new CallFailure(status.DEADLINE_EXCEEDED, 'the time for the call is over'));
    }, ms);
    return Date.now() + ms;
  }

  /**
   * @param hold is told of every piece that is kept, and throws if it is one too many
   * @throws CallFailure if the request cannot be read, is too large, or does not arrive in time
   */
  async request(mostBytes: number, hold: (bytes: number) => void): Promise<Buffer> {
    const reader = new RequestReader(this.header('grpc-encoding') ?? 'identity', mostBytes);
    const { stream, signal } = this;
    const late = setTimeout(() => {
      this.end(new Refusal('too-slow', 'the request did not arrive in time'));
    }, this.transferMs);
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (error: unknown) => reject(error instanceof Error ? error : new Error(String(error)));
        stream.on('data', (piece: Buffer) => {
          try {
            hold(piece.length);
            reader.add(piece);
          } catch (error) {
            stream.removeAllListeners('data');
            fail(error);
          }
        });
        stream.once('end', resolve);
        if (signal.aborted) fail(signal.reason);
        else signal.addEventListener('abort', () => fail(signal.reason), { once: true });
      });
    } finally {
      clearTimeout(late);
    }
    const message = reader.message();
    hold(message.length);
    return message;
  }

  /** Ends the call from outside; of several reasons the first counts. */
  end(reason: CallFailure): void {
    clearTimeout(this.deadlineTimer);
    if (!this.signal.aborted) this.ending.abort(reason);
  }

  answer(answer: Answer): void {
    const { stream } = this;
    clearTimeout(this.deadlineTimer);
    if (this.answered || stream.destroyed || stream.closed) return;
    this.answered = true;
    const head = { ':status': 200, 'content-type': 'application/grpc', 'grpc-accept-encoding': ENCODINGS };
    if (!('body' in answer)) {
      stream.respond({ ...head, ...trailersOf(answer) }, { endStream: true });
    } else {
      const accepted = this.header('grpc-accept-encoding') ?? '';
      const { frame, encoding } = framed(answer.body, /\bgzip\b/.test(accepted));
      stream.respond({ ...head, 'grpc-encoding': encoding }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers(trailersOf(answer)));
      stream.end(frame);
    }
    this.finish();
  }

  /** What the site still sends is not wanted, and it shall not leave the answer lying. */
  private finish(): void {
    const { stream } = this;
    stream.resume();
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
    const stuck = setTimeout(() => stream.destroy(), this.transferMs);
    stream.once('close', () => clearTimeout(stuck));
  }
}
