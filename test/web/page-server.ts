/**
 * The page, and an API behind it that speaks the contract from scenes: states that a real run is seldom in can be looked
 * at, and a test can cut the stream, refuse, or be away. Everything it sends is checked against the contract first.
 */
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { ServerResponse } from 'node:http';
import {
  ConsortiumList,
  RunDetail,
  RunEvent,
  RunList,
  StartedRun,
  type ConsortiumView,
} from '../../workflows/api-contract';
import { Change } from '../../workflows/changes-contract';
import { Me, type SignInWays } from '../../workflows/people-contract';
import { ContractServer, json, problem, type Answer, type SeenRequest } from '../support/contract-server';
import * as scenes from './scenes';

/** As `npm run build` made it. */
const PAGE = join(__dirname, '../../dist/web');
/** The only operator's token that this API accepts. */
export const TOKEN = 'a.good-token';
const COOKIE = 'muster_session=good';

const READY = {
  status: 'ready',
  checks: { database: 'ok', temporal: 'ok', objectStore: 'ok', centralWorker: 'ok' },
};

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export class PageServer {
  readonly details = new Map<string, RunDetail>();
  consortia: ConsortiumView[] = [];
  /** Of the nodes that have ended, by line. */
  readonly logs = new Map<string, string[]>();
  /** Who has the session. */
  me: Me = operator();
  /** What else is answered, by method and path below /api/ without its query. */
  readonly answers = new Map<string, unknown>();
  /** Answers in place of the API, where it does. */
  instead: (request: SeenRequest) => Answer | undefined = () => undefined;
  private readonly http = new ContractServer();
  private readonly streams = new Set<ServerResponse>();
  private readonly listeners = new Set<ServerResponse>();
  private readonly events: RunEvent[] = [];

  get url(): string {
    return this.http.url;
  }

  /** Requests to the API, the oldest first. */
  get seen(): SeenRequest[] {
    return this.http.seen.filter(({ path }) => path.startsWith('/api/'));
  }

  async start(): Promise<void> {
    this.http.answer = (request, response) => this.answer(request)(request, response);
    await this.http.start();
  }

  async stop(): Promise<void> {
    await this.http.stop();
  }

  /** Forgets everything but the page. */
  reset(): void {
    this.cutStreams();
    this.details.clear();
    this.consortia = [];
    this.logs.clear();
    this.answers.clear();
    for (const [call, answer] of Object.entries(scenes.quiet())) this.answers.set(call, answer);
    this.me = operator();
    this.events.length = 0;
    this.instead = () => undefined;
    this.http.seen.length = 0;
  }

  show(detail: RunDetail): void {
    this.details.set(detail.run.runId, detail);
  }

  /** Sends an event to everyone who follows the run. */
  send(runId: string, type: RunEvent['type'], data: RunEvent['data']): void {
    const event = RunEvent.parse({ id: this.events.length + 1, runId, at: Date.now(), type, data });
    this.events.push(event);
    for (const stream of this.streams) write(stream, event);
  }

  /** Breaks every events stream, as a network does. */
  cutStreams(): void {
    for (const stream of [...this.streams, ...this.listeners]) stream.destroy();
    this.streams.clear();
    this.listeners.clear();
  }

  get followers(): number {
    return this.streams.size;
  }

  private answer(request: SeenRequest): Answer {
    const path = request.path.replace(/\?.*$/, '');
    if (!path.startsWith('/api/') && path !== '/readyz') return this.asset(path);
    const instead = this.instead(request);
    if (instead) return instead;
    if (path === '/readyz') return json(200, READY);
    const told = this.answers.get(`${request.method} ${path.slice('/api/'.length)}`);
    if (path === '/api/sign-in' && request.method === 'GET')
      return json(200, told ?? ({ local: true } satisfies SignInWays));
    if (path === '/api/session' && request.headers.authorization === `Bearer ${TOKEN}`) return this.signIn();
    if (path === '/api/sign-in' && told !== undefined) return this.signIn();
    if (path.startsWith('/api/invitations/') && told !== undefined) return json(200, told);
    if (!(request.headers.cookie ?? '').includes(COOKIE)) return problem(401, 'Unauthorized');
    if (path === '/api/me') return json(200, Me.parse(this.me));
    if (told !== undefined)
      return told === null ? (_request, response) => response.writeHead(204).end() : json(200, told);
    if (path === '/api/events') return (_request, response) => this.changes(response);
    const [, , collection = '', id = '', ...more] = path.split('/');
    const rest = more.join('/');
    return collection === 'consortia' ? this.consortium(id, rest) : this.run(id, rest, request);
  }

  private signIn(): Answer {
    return (_request, response) => {
      const headers = { 'set-cookie': `${COOKIE}; Path=/; HttpOnly`, 'content-type': 'application/json' };
      response.writeHead(200, headers).end(JSON.stringify(this.me));
    };
  }

  private asset(path: string): Answer {
    const extension = extname(path);
    const file = join(PAGE, extension === '' ? 'index.html' : path);
    if (!existsSync(file)) return problem(404, 'Not Found');
    const type = CONTENT_TYPES[extension] ?? CONTENT_TYPES['.html'];
    const content = readFileSync(file);
    return (_request, response) => response.writeHead(200, { 'content-type': type }).end(content);
  }

  private consortium(id: string, rest: string): Answer {
    if (id === '') return json(200, ConsortiumList.parse({ consortia: this.consortia }));
    const known = this.consortia.find((consortium) => consortium.id === id);
    if (rest === '' && known) {
      const headers = { 'content-type': 'application/json', etag: '"7"' };
      return (_request, response) => response.writeHead(200, headers).end(JSON.stringify(known));
    }
    if (rest !== 'runs') return problem(404, 'Not Found');
    const runId = `${id}-1`;
    return json(201, StartedRun.parse({ runId, page: `${this.url}/runs/${runId}` }));
  }

  private run(id: string, rest: string, request: SeenRequest): Answer {
    const details = [...this.details.values()];
    if (id === '') {
      const { searchParams } = new URL(request.path, this.url);
      const [state, consortium, site] = ['state', 'consortium', 'site'].map((name) => searchParams.get(name));
      const runs = details
        .filter(({ run }) => (state ?? run.state) === run.state)
        .filter(({ run }) => (consortium ?? run.consortium.id) === run.consortium.id)
        .filter(({ nodes }) => site === null || nodes.some(({ node }) => node === site))
        .map(({ run, nodes }) => ({ ...run, sites: nodes.length - 1 }));
      const start = runs.findIndex(({ runId }) => runId === searchParams.get('after')) + 1;
      const end = start + Number(searchParams.get('limit') ?? 50);
      const next = end < runs.length ? runs[end - 1]?.runId : undefined;
      return json(200, RunList.parse({ runs: runs.slice(start, end), next }));
    }
    const detail = this.details.get(id);
    if (!detail) return problem(404, 'Not Found', { detail: `There is no run ${id}.` });
    if (rest === 'events') return (_request, response) => this.stream(request, response);
    if (rest === 'stop' || rest === 'retry') return json(202, {});
    const [, node = ''] = /^nodes\/(.+)\/log\/events$/.exec(rest) ?? [];
    if (node !== '') return log(this.logs.get(node) ?? []);
    return json(200, RunDetail.parse({ ...detail, lastEventId: this.events.length }));
  }

  /** Tells everyone who looks at lists that something has changed. */
  tell(change: Change): void {
    for (const stream of this.listeners) stream.write(`data: ${JSON.stringify(Change.parse(change))}\n\n`);
  }

  private changes(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
    this.listeners.add(response);
    response.on('close', () => this.listeners.delete(response));
  }

  private stream(request: SeenRequest, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
    const last = Number(request.headers['last-event-id'] ?? 0);
    for (const event of this.events.slice(last)) write(response, event);
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
  }
}

function write(stream: ServerResponse, event: RunEvent): void {
  stream.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

/** A log that has ended. */
function log(lines: readonly string[]): Answer {
  const messages = lines.map(
    (line, index) => `id: ${index + 1}\ndata: ${JSON.stringify({ text: line })}\n\n`,
  );
  const end = 'event: end\ndata: {"end":true}\n\n';
  return (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end([...messages, end].join(''));
}

/** Somebody with an operator's token, who has no account. */
const operator = (): Me => ({
  ...{ id: 'operator:ada', name: 'ada', admin: true, consortia: {}, sites: [] },
  ...{ mustChangePassword: false, hasPassword: false, via: 'session' },
});
