/** What a node needs: its kit when it is launched, and an ear while it runs. */
import type { FastifyBaseLogger } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { ObjectStore } from '../../storage/object-store';
import { RunKitAccess } from '../../workflows/api-contract';
import { kitKey, LaunchId, NodeName, NodeReport, RunId } from '../../workflows/contract';
import { isTerminalNode } from '../../workflows/run-state';
import { mustBeNode } from '../access';
import type { Database } from '../db/client';
import { shownKey } from '../identity/site-door';
import { HttpProblem } from '../problem';
import { lookUpNode } from '../runs/find-run';
import { unknownKit } from '../runs/kit-keys';
import type { Launch, Launches } from '../runs/launches';
import type { NodeReports } from '../runs/node-reports';
import type { SignedLaunches } from '../runs/signed-launches';
import type { Runs } from '../runs/temporal';
import type { Tokens } from '../tokens';
import { nothing } from './responses';

/** Long enough to begin a download, too short to be passed around. */
const KIT_URL_SECONDS = 300;

interface Deps {
  db: Database;
  temporal: Runs;
  objects: ObjectStore;
  launches: Launches;
  nodeReports: NodeReports;
  tokens: Tokens;
  /** Absent where no site can join. */
  signedLaunches: SignedLaunches | undefined;
}

export const nodeRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { db, temporal, objects, launches, nodeReports, tokens, signedLaunches } = deps;

  server.post(
    '/runs/:runId/launches/:launchId/kits/:node',
    {
      config: {
        roles: ['site', 'central'],
        needs: ['enrolment', 'temporal', 'objects'],
        refuses: ['unknown-kit', 'launch-superseded', 'run-ended', 'run-unreported'],
      },
      schema: {
        operationId: 'getRunKit',
        summary: "Where a node's runKit can be downloaded now, and how the node may report on itself",
        tags: ['nodes'],
        params: z.object({ runId: RunId, launchId: LaunchId, node: NodeName }),
        response: { 200: RunKitAccess },
      },
    },
    async ({ params: launch, claims, log, raw }) => {
      const { runId, launchId, node } = launch;
      mustBeNode(claims, node);
      const key = kitKey(runId, launchId, node);
      if (!(await objects.stat(key))) throw unknownKit(launch);
      await launches.mustBeCurrent(launch);
      const sealed = claims.role === 'site' ? await sealedFor(launch, raw) : undefined;
      if (sealed !== undefined) tellFetching(launch, log);
      const [url, reportToken] = await Promise.all([
        objects.presignGet(key, KIT_URL_SECONDS),
        tokens.forNode(launch),
      ]);
      const reportPath = `/api/runs/${runId}/nodes/${node}/report`;
      return { url, reportPath, reportToken, ...(sealed && { sealed }) };
    },
  );

  /** For the site alone that made the request: whatever key it has at this moment. */
  async function sealedFor(launch: Launch, request: IncomingMessage): Promise<RunKitAccess['sealed']> {
    const publicKey = shownKey(request);
    if (signedLaunches === undefined)
      throw new HttpProblem('no-enrolment', 'No site takes part in runs here.');
    return signedLaunches.forSite(launch, publicKey, KIT_URL_SECONDS);
  }

  /** The kit is worth more than the word: the site does not wait for it. */
  function tellFetching({ runId, launchId, node }: Launch, log: FastifyBaseLogger): void {
    temporal
      .signalStatus(runId, { launchId, node, state: 'fetching' })
      .catch((err: unknown) =>
        log.warn({ err, runId, node }, 'the run was not told that a site fetches its kit'),
      );
  }

  server.post(
    '/runs/:runId/nodes/:node/report',
    {
      config: {
        roles: ['node'],
        needs: ['temporal', 'objects'],
        refuses: ['launch-superseded', 'run-ended'],
      },
      schema: {
        operationId: 'reportNode',
        summary: 'A node says how far it is',
        tags: ['nodes'],
        params: z.object({ runId: RunId, node: NodeName }),
        body: NodeReport,
        response: { 204: nothing },
      },
    },
    async ({ params: { runId, node }, body, claims }, reply) => {
      if (claims.role !== 'node' || claims.runId !== runId || claims.node !== node)
        throw new HttpProblem('forbidden', `${claims.sub} may not report for ${node} of run ${runId}.`);
      const launch = { runId, node, launchId: claims.launchId };
      await launches.mustBeCurrent(launch);
      await mustBeAlive(launch);
      await nodeReports.take(launch, body);
      return reply.code(204).send();
    },
  );

  async function mustBeAlive({ runId, launchId, node }: Launch): Promise<void> {
    const row = await lookUpNode(db, runId, node);
    if (row && row.launchId === launchId && isTerminalNode(row.state))
      throw new HttpProblem('forbidden', `The token is no longer valid: ${node} is ${row.state}.`);
  }
  done();
};
