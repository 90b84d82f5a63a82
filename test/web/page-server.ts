/**
 * The page, and an API behind it that speaks the contract from scenes: states that a real run is seldom in can be looked
 * at, and a test can cut the stream, refuse, or be away. Everything it sends is checked against the contract first.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import { build } from 'esbuild';
import {
  ConsortiumList,
  RunDetail,
  RunEvent,
  RunList,
  StartedRun,
  type ConsortiumView,
} from '../../workflows/api-contract';
import { ContractServer, json, problem, type Answer, type SeenRequest } from '../support/contract-server';

const WEB = join(__dirname, '../../web');
/** The only token that this API accepts. */
export const TOKEN = 'a.good-token';

const CONTENT_TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};

export class PageServer {
  readonly details = new Map<string, RunDetail>();
  consortia: ConsortiumView[] = [];
  /** Answers in place of the API, where it does. */
  instead: (request: SeenRequest) => Answer | undefined = () => undefined;
  /** Files that the page is made of and that are not ours. */
  foreignInputs: string[] = [];
  private readonly http = new ContractServer();
  private readonly streams = new Set<ServerResponse>();
  private readonly events: RunEvent[] = [];
  private assets: Record<string, string> = {};

  get url(): string {
    return this.http.url;
  }

  /** Requests to the API, the oldest first. */
  get seen(): SeenRequest[] {
    return this.http.seen.filter(({ path }) => path.startsWith('/api/'));
  }

  async start(): Promise<void> {
    const { assets, inputs } = await buildPage();
    this.assets = assets;
    this.foreignInputs = inputs.filter((path) => path.includes('node_modules'));
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
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
  }

  get followers(): number {
    return this.streams.size;
  }

  private answer(request: SeenRequest): Answer {
    const path = request.path.replace(/\?.*$/, '');
    if (!path.startsWith('/api/')) return this.asset(path);
    const instead = this.instead(request);
    if (instead) return instead;
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return problem(401, 'Unauthorized');
    const [, , collection = '', id = '', rest = ''] = path.split('/');
    return collection === 'consortia' ? this.consortium(id, rest) : this.run(id, rest, request);
  }

  private asset(path: string): Answer {
    const name = path === '/' || path.startsWith('/runs/') ? 'index.html' : path.slice(1);
    const content = this.assets[name];
    if (content === undefined) return problem(404, 'Not Found');
    const type = CONTENT_TYPES[name.split('.').at(-1) ?? ''] ?? 'text/plain';
    return (_request, response) => response.writeHead(200, { 'content-type': type }).end(content);
  }

  private consortium(id: string, rest: string): Answer {
    if (id === '') return json(200, ConsortiumList.parse({ consortia: this.consortia }));
    if (rest !== 'runs') return problem(404, 'Not Found');
    const runId = `${id}-1`;
    return json(201, StartedRun.parse({ runId, page: `${this.url}/runs/${runId}` }));
  }

  private run(id: string, rest: string, request: SeenRequest): Answer {
    const details = [...this.details.values()];
    if (id === '') {
      const runs = details.map(({ run, nodes }) => ({ ...run, sites: nodes.length - 1 }));
      return json(200, RunList.parse({ runs }));
    }
    const detail = this.details.get(id);
    if (!detail) return problem(404, 'Not Found', { detail: `There is no run ${id}.` });
    if (rest === 'events') return (_request, response) => this.stream(request, response);
    if (rest === 'stop') return json(202, {});
    return json(200, RunDetail.parse({ ...detail, lastEventId: this.events.length }));
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

async function buildPage(): Promise<{ assets: Record<string, string>; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(WEB, 'main.ts')],
    bundle: true,
    write: false,
    metafile: true,
    target: 'es2022',
    logLevel: 'warning',
  });
  const stored = ['index.html', 'style.css', 'favicon.svg'].map((name) => [
    name,
    readFileSync(join(WEB, 'static', name), 'utf8'),
  ]);
  const assets = {
    ...(Object.fromEntries(stored) as Record<string, string>),
    'main.js': outputFiles[0]?.text ?? '',
  };
  return { assets, inputs: Object.keys(metafile.inputs) };
}
