/** Central's HTTPS server. Only certificates of this run's authority get in, and each speaks for the site it names. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import type { Federation } from './federation';
import {
  ACKNOWLEDGEMENT_PATH,
  asMoments,
  STATISTICS_PATH,
  type Credentials,
  type GlobalFit,
  type NotYet,
} from './messages';
import { parseJson } from './shape';

/** A site that waits is answered within this time, so that both sides notice when the other is gone. */
const LONG_POLL_MS = 20_000;
const MAX_BODY_BYTES = 64 * 1024;

interface Reply {
  status: number;
  body: GlobalFit | NotYet | { error: string } | Record<string, never>;
}
const refusal = (status: number, error: string): Reply => ({ status, body: { error } });

/** Starts to listen; resolves when it does. */
export function listen(
  { port, federation, credentials }: { port: number; federation: Federation; credentials: Credentials },
  log: (text: string) => void,
): Promise<Server> {
  const listener: RequestListener = (request, response) => {
    void reply(federation, request)
      .catch((error: unknown) => refusal(400, error instanceof Error ? error.message : String(error)))
      .then((answer) => send(response, answer));
  };
  const options = {
    ...credentials,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  } as const;
  const server = createServer(options, listener);
  server.on('tlsClientError', (error) => log(`refused a connection: ${error.message}`));
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`Cannot listen on port ${port}: ${error.message}`)));
    server.listen(port, () => resolve(server));
  });
}

async function reply(federation: Federation, request: IncomingMessage): Promise<Reply> {
  const site = siteOf(request);
  if (site === undefined || !federation.sites.includes(site))
    return refusal(403, 'This is no site of this run');
  switch (`${request.method ?? ''} ${request.url ?? ''}`) {
    case `POST ${STATISTICS_PATH}`:
      federation.submit(site, asMoments(parseJson(await readBody(request), 'The message')));
      return outcome(federation);
    case `POST ${ACKNOWLEDGEMENT_PATH}`:
      return federation.acknowledge(site) ? { status: 200, body: {} } : refusal(409, 'There is no fit yet');
    default:
      return refusal(404, 'There is no such address');
  }
}

async function outcome(federation: Federation): Promise<Reply> {
  const enough = new AbortController();
  const settled = await Promise.race([
    federation.outcome,
    sleep(LONG_POLL_MS, undefined, { signal: enough.signal }).catch(() => undefined),
  ]);
  enough.abort();
  if (settled === undefined)
    return { status: 202, body: { received: federation.received, expected: federation.sites.length } };
  return 'fit' in settled ? { status: 200, body: settled.fit } : refusal(422, settled.error);
}

/** TLS has verified the certificate; its name is the site's id. */
function siteOf(request: IncomingMessage): string | undefined {
  const { socket } = request;
  const name =
    socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate().subject.CN : undefined;
  return typeof name === 'string' ? name : undefined;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('The message is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
