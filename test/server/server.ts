/** The central API for one test file: on a database, a namespace and a bucket of its own. */
import fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import { SignJWT } from 'jose';
import { PassThrough } from 'node:stream';
import { app, serverOptions } from '../../server/app';
import type { ServerConfig } from '../../server/config';
import { createImages } from '../../server/registry/images';
import { createPost, type Post } from '../../server/notices/post';
import { openDatabase, type Database, type OpenDatabase } from '../../server/db/client';
import type { Identity } from '../../server/identity/open-identity';
import { createLogger } from '../../server/logger';
import { createRuns, type Runs } from '../../server/runs/temporal';
import type { ObjectStore } from '../../storage/object-store';
import { Problem, TOKEN_KINDS, type AccessClaims } from '../../workflows/api-contract';
import { testObjectStore } from '../support/object-store';
import { TEST_KEYS } from '../support/sealed';
import { useTemporal, type TestTemporal } from '../support/temporal';
import { SiteSide } from './site-side';
import { watchAnswers } from './declared';
import { newDatabase, silent, type DatabaseKind } from './databases';
import { tokenOf, type TestPerson } from './people';

export { lead, person, type TestPerson } from './people';

export const SECRET = 'a secret that only the tests of the central API use';
export const PUBLIC_URL = 'https://muster.example.org';
export const TEMPORAL_UI = 'https://temporal.example.org';

/** An access token. */
export function tokenFor(
  claims: AccessClaims,
  secret = SECRET,
  expiresIn = '1h',
  typ: string = TOKEN_KINDS[claims.role],
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ })
    .setExpirationTime(expiresIn)
    .sign(new TextEncoder().encode(secret));
}

export const admin: AccessClaims = { role: 'admin', sub: 'admin@example.org' };
export const central: AccessClaims = { role: 'central', sub: 'central-1' };
export const site = (id: string): TestCaller => ({ role: 'site', sub: id });

/** Who has a token. */
export type Bearer = AccessClaims | TestPerson;
export type TestCaller = Bearer | { role: 'site'; sub: string };

interface Call {
  /** Who calls: by a token, or a site by its certificate. The admin if nobody is named. */
  as?: TestCaller;
  /** Sent as JSON, bytes as they are. */
  body?: object | undefined;
  headers?: Record<string, string>;
}
/** By whoever has a token. */
export type TokenCall = Omit<Call, 'as'> & { as?: Bearer };
/** What is looked at of an answer. */
export type Answer = Pick<LightMyRequestResponse, 'statusCode' | 'headers' | 'body' | 'json'>;

interface Replica {
  db?: Database;
  temporal?: Runs;
  post?: Post;
  objects?: ObjectStore;
  page?: string;
  identity?: Identity;
  codecFor?: ServerConfig['codecFor'];
  oidc?: ServerConfig['oidc'];
}

export interface TestServer {
  readonly temporal: TestTemporal;
  readonly db: Database;
  readonly objects: ObjectStore;
  readonly app: FastifyInstance;
  /** Everything that was logged so far. */
  readonly log: string;
  /** What the API answers to a call, such as `GET /api/runs`. */
  call(what: string, call?: Call): Promise<Answer>;
  /** A token of whoever it is, for this server. */
  tokenOf(bearer: Bearer): Promise<string>;
  /** Another API process, in effect: on the same database, but with nothing else in common. */
  startReplica(replica?: Replica): Promise<FastifyInstance>;
}

/** What all servers of a file have. */
interface Ground {
  /** Sees each before it has any routes. */
  before?: (app: FastifyInstance) => void;
}

/** Serves the API for the tests of a file, without workers: runs stay as the tests leave them. */
export function useServer(kind: DatabaseKind = 'embedded', all: Ground = {}): TestServer {
  const server = new FileServer(kind, useTemporal(), all);
  beforeAll(() => server.open());
  afterEach(() => expect(server.undeclared.splice(0)).toEqual([]));
  return server;
}

class FileServer implements TestServer {
  app!: FastifyInstance;
  objects!: ObjectStore;
  log = '';
  /** What was answered that the description of the API does not have. */
  readonly undeclared: string[] = [];
  private database!: OpenDatabase;
  private siteSide: Promise<SiteSide> | undefined;

  constructor(
    private readonly kind: DatabaseKind,
    readonly temporal: TestTemporal,
    private readonly all: Ground,
  ) {}

  get db(): Database {
    return this.database.db;
  }

  async open(): Promise<void> {
    const { config, remove } = await newDatabase(this.kind);
    this.temporal.onClose(remove);
    this.database = await openDatabase(config, silent);
    this.temporal.onClose(() => this.database.close());
    this.objects = await testObjectStore();
    this.app = await this.startReplica();
  }

  async startReplica({
    db,
    temporal,
    post,
    objects,
    page,
    identity,
    codecFor = 'admins',
    oidc,
  }: Replica = {}): Promise<FastifyInstance> {
    const stream = new PassThrough().setEncoding('utf8').on('data', (text: string) => (this.log += text));
    const replica = fastify({ ...serverOptions, loggerInstance: createLogger('info', stream) });
    this.all.before?.(replica);
    watchAnswers(replica, this.undeclared);
    const { namespace, client, address } = this.temporal;
    await replica.register(app, {
      config: {
        ...{ secret: SECRET, payloadKeys: TEST_KEYS, codecFor, publicUrl: PUBLIC_URL, oidc },
        temporal: { address, namespace, uiUrl: TEMPORAL_UI },
      },
      db: db ?? this.db,
      temporal: temporal ?? createRuns(client),
      images: createImages(client),
      post: post ?? createPost(client),
      objects: objects ?? this.objects,
      page,
      identity,
    });
    databases.set(replica, db ?? this.db);
    this.temporal.onClose(() => replica.close());
    await replica.ready();
    return replica;
  }

  tokenOf(bearer: Bearer): Promise<string> {
    return bearer.role === 'person' ? tokenOf(this.db, bearer) : tokenFor(bearer);
  }

  async call(what: string, { as = admin, body, headers = {} }: Call = {}): Promise<Answer> {
    if (as.role !== 'site') return callOn(this.app, what, { as, body, headers });
    this.siteSide ??= SiteSide.open(this);
    return (await this.siteSide).call(what, as.sub, { body, headers });
  }
}

/** The problem that the API answered with. */
export function problemOf(answer: Answer): Problem {
  expect(answer.headers['content-type']).toContain('application/problem+json');
  const problem = Problem.parse(answer.json());
  expect(problem.status).toBe(answer.statusCode);
  return problem;
}

/** What each API process keeps its people in. */
const databases = new WeakMap<FastifyInstance, Database>();

async function tokenAt(app: FastifyInstance, bearer: Bearer): Promise<string> {
  if (bearer.role !== 'person') return tokenFor(bearer);
  const db = databases.get(app);
  if (db === undefined) throw new Error('the server is none of startReplica');
  return tokenOf(db, bearer);
}

/** What one API process answers to a call. */
export async function callOn(
  app: FastifyInstance,
  what: string,
  { as = admin, body, headers }: TokenCall = {},
): Promise<Answer> {
  const [method, url = ''] = what.split(' ');
  return app.inject({
    method: method as 'GET' | 'POST' | 'PUT' | 'DELETE',
    url,
    headers: { authorization: `Bearer ${await tokenAt(app, as)}`, ...headers },
    ...(body !== undefined && { payload: body }),
  });
}
