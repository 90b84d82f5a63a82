/** A mail server that keeps what it is sent. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

export class Mailbox {
  readonly mails: { to: string[]; from: string; source: string }[] = [];
  /** Addresses that are not known here. */
  readonly unknown = new Set<string>();
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo: ({ address }, _session, done) => {
      const refused = Object.assign(new Error('no such mailbox'), { responseCode: 550 });
      done(this.unknown.has(address) ? refused : null);
    },
    onData: (stream, { envelope }, done) => {
      void text(stream).then((source) => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        this.mails.push({ to: envelope.rcptTo.map(({ address }) => address), from, source });
        done();
      });
    },
  });

  async open(): Promise<this> {
    const listening = once(this.server.server, 'listening');
    this.server.listen(0, '127.0.0.1');
    await listening;
    return this;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(resolve));
  }
}
