/**
 * The API against its description, tried by schemathesis as everyone who may call: it never breaks, answers nothing that is not
 * declared, and lets nobody do more than their role.
 */
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { register, report, start } from '../server/scenes';
import { admin, central, lead, person, useServer, type Bearer } from '../server/server';
import { nodeView, runView, statusReport } from '../server/views';
import { describeWithProgram } from '../support/needs-program';
import { installSchemathesis, tryApi, type Exchange } from '../support/schemathesis';

/** Cases for each operation. */
const EXAMPLES = 4;
const PATIENCE_MS = 300_000;

/** All of it is on a database, a namespace and a bucket of its own. */
const server = useServer();
let url: string;
/** A run of the consortium that people of the tests have roles in, and one of another. */
let runId: string;
let otherRunId: string;
/** What stays open is read elsewhere. */
let streams: string[];

const Description = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ operationId: z.string().optional(), responses: z.unknown() })),
  ),
});

beforeAll(async () => {
  await installSchemathesis();
  await server.app.listen({ port: 0, host: '127.0.0.1' });
  url = `http://127.0.0.1:${(server.app.server.address() as AddressInfo).port}`;
  await register(server, 'penguins');
  await register(server, 'others', { sites: [{ id: 'gamma', name: 'Site gamma', dataset: 'birds' }] });
  [runId, otherRunId] = [await start(server, 'penguins'), await start(server, 'others')];
  const nodes = [nodeView('central', 'running'), nodeView('alpha', 'running')];
  await report(server, statusReport(runView(runId, 'running'), nodes, { at: Date.now() }));
  const { paths } = Description.parse(await (await fetch(`${url}/openapi.json`)).json());
  streams = Object.values(paths)
    .flatMap((path) => Object.values(path))
    .filter(({ responses }) => JSON.stringify(responses).includes('text/event-stream'))
    .map(({ operationId }) => operationId ?? '');
}, PATIENCE_MS);

interface Role {
  bearer?: Bearer;
  /** What they may change of the consortium and its run. */
  mayChange: RegExp;
  /** Whether they may see what they have no part in. */
  seesAll?: boolean;
  /** Whether every limit of every value is tried as well: once is enough. */
  coverage?: boolean;
}

const NOTHING = /(?!)/;
const EVERYTHING = /^/;

const ROLES: Record<string, Role> = {
  nobody: { mayChange: NOTHING },
  viewer: {
    bearer: person('viewer@example.org', { consortia: { penguins: 'viewer' } }),
    mayChange: NOTHING,
  },
  member: {
    bearer: person('member@example.org', { consortia: { penguins: 'member' } }),
    mayChange: NOTHING,
  },
  lead: {
    bearer: lead('penguins'),
    mayChange: /^(PUT|PATCH|POST|DELETE) \/api\/(consortia\/penguins($|\/)|runs\/[^/]+\/(stop|retry)$)/,
  },
  siteAdmin: {
    bearer: person('site@example.org', { sites: ['alpha'] }),
    mayChange: /^(POST|DELETE) \/api\/consortia\/penguins\/sites\/alpha($|\/)/,
  },
  admin: { bearer: admin, mayChange: EVERYTHING, seesAll: true, coverage: true },
  central: {
    bearer: central,
    mayChange: /^(PUT|POST|DELETE) \/api\/runs\/[^/]+\/(started|status|errors|launches)($|\/)/,
    seesAll: true,
  },
};

describeWithProgram(['python3', '-m', 'venv', '--help'], 'the API does what its description says', () => {
  test.each(Object.entries(ROLES))(
    'as %s',
    async (_name, role) => {
      const { failures, exchanges } = await tryApi({
        url,
        token: role.bearer && (await server.tokenOf(role.bearer)),
        known: {
          consortiumId: ['penguins', 'others'],
          runId: [runId, otherRunId],
          siteId: ['alpha', 'gamma'],
          node: ['central', 'alpha'],
          name: ['example'],
        },
        except: streams,
        examples: EXAMPLES,
        phases: role.coverage ? ['examples', 'coverage', 'fuzzing'] : ['examples', 'fuzzing'],
      });
      expect(failures).toBe('');
      expect(exchanges.length).toBeGreaterThan(100);
      expect(exchanges.filter((exchange) => isTooMuch(exchange, role)).map(inWords)).toEqual([]);
    },
    PATIENCE_MS,
  );
});

const inWords = ({ method, path, status }: Exchange) => `${method} ${path}: ${status}`;

/** Whether something was done or shown that is none of the role's business. */
function isTooMuch({ method, path, status }: Exchange, { mayChange, seesAll = false }: Role): boolean {
  if (status >= 300) return false;
  const parts = path.split('/');
  const isOthers = parts.includes('others') || parts.includes(otherRunId);
  if (isOthers && !seesAll) return true;
  const isOurs = parts.includes('penguins') || parts.includes(runId);
  return isOurs && !['GET', 'HEAD', 'OPTIONS'].includes(method) && !mayChange.test(`${method} ${path}`);
}
