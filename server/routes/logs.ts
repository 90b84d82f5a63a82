/** Logs of nodes: taken in from the hosts that keep them, and shown to who may see the run. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { BrokenLogPart, putLogPart, readLogParts, type LogPart } from '../../storage/log-parts';
import type { ObjectStore } from '../../storage/object-store';
import { MAX_LOG_PART_BYTES, StoredLogPart, type LogMessage } from '../../workflows/api-contract';
import { kitKey, LaunchId, NodeName, PROVISION_NODE, RunId, type NodeRef } from '../../workflows/contract';
import { isTerminalNode } from '../../workflows/run-state';
import { mustBeNode, type Caller } from '../access';
import type { Database } from '../db/client';
import { createOpenStreams, eventStream, GREETING, HEARTBEAT, HEARTBEAT_MS } from '../open-streams';
import { HttpProblem } from '../problem';
import { findRun, lookUpNode, lookUpRun } from '../runs/find-run';
import { whyNoLog } from '../runs/log-absence';
import type { Truth } from '../runs/truth';

/** More than a host keeps of one node. */
const MAX_LOG_BYTES = 2 ** 29;
const POLL_MS = 1_000;
/** The last words of a node that was stopped may arrive after the word that it was. */
const LAST_WORDS_MS = 3_000;

const LogPath = z.object({ runId: RunId, node: NodeName });
const LogQuery = z.object({
  launch: LaunchId.optional().describe('The launch whose log is meant; without it, the current one.'),
});
const ResumeHeaders = z.looseObject({
  'last-event-id': z.coerce
    .number('must be the id of a message')
    .int('must be the id of a message')
    .nonnegative('must be the id of a message')
    .default(0)
    .describe('The text after this message is sent; without it, all.'),
});
const PlainText = z
  .custom<Readable>((value) => value instanceof Readable)
  .meta({
    type: 'string',
    description: 'Standard output and standard error, in the order in which they came.',
  });
const Gzip = z
  .custom<Buffer>((value) => Buffer.isBuffer(value), 'must be gzip, sent as application/gzip')
  .meta({ type: 'string', format: 'binary' });

interface Deps {
  db: Database;
  objects: ObjectStore;
  truth: Truth;
}

export const logRoutes: FastifyPluginCallbackZod<Deps> = (server, { db, objects, truth }, done) => {
  const sendStream = createOpenStreams(server);
  const limit = { parseAs: 'buffer', bodyLimit: MAX_LOG_PART_BYTES } as const;
  server.addContentTypeParser('application/gzip', limit, (_request, body, parsed) => parsed(null, body));

  server.put(
    '/runs/:runId/launches/:launchId/nodes/:node/log',
    {
      config: { roles: ['site', 'central'], needs: ['objects'], refuses: ['unknown-node', 'invalid-log'] },
      bodyLimit: MAX_LOG_PART_BYTES,
      schema: {
        operationId: 'putNodeLog',
        summary: "Keep a part of a node's log",
        description:
          'The body (`application/gzip`) is whole gzip members of the log that its host keeps; `start` is where they ' +
          'begin there. A part that is there already stays as it is. `next` says where the next part begins.',
        tags: ['nodes'],
        params: z.object({ runId: RunId, launchId: LaunchId, node: NodeName }),
        querystring: z.object({ start: z.coerce.number().int().nonnegative().max(MAX_LOG_BYTES) }),
        consumes: ['application/gzip'],
        body: Gzip,
        response: { 200: StoredLogPart },
      },
    },
    async ({ params: ref, query: { start }, body, claims }) => {
      mustBeNode(claims, ref.node);
      await mustHave(claims, ref);
      try {
        return { next: await putLogPart(objects, ref, start, body) };
      } catch (error) {
        if (!(error instanceof BrokenLogPart)) throw error;
        throw new HttpProblem('invalid-log', `It is not a part of a log in gzip: ${error.message}.`);
      }
    },
  );

  server.get(
    '/runs/:runId/nodes/:node/log',
    {
      config: { roles: ['member', 'central'], needs: ['objects'], refuses: ['unknown-node', 'no-log'] },
      exposeHeadRoute: false,
      schema: {
        operationId: 'getNodeLog',
        summary: "A node's log so far",
        tags: ['runs'],
        params: LogPath,
        querystring: LogQuery,
        response: {
          200: { description: 'The log.', content: { 'text/plain': { schema: PlainText } } },
        },
      },
    },
    async ({ params, query }, reply) => {
      const { ref, look } = await find(params, query.launch);
      const parts = readLogParts(objects, ref);
      const first = await parts.next();
      if (first.done === true) throw new HttpProblem('no-log', whyNoLog(ref.node, (await look()).state));
      return reply
        .type('text/plain; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(Readable.from(textOf(first.value, parts)));
    },
  );

  server.get(
    '/runs/:runId/nodes/:node/log/events',
    {
      config: { roles: ['member', 'central'], refuses: ['unknown-node', 'no-log'] },
      exposeHeadRoute: false,
      schema: {
        operationId: 'followNodeLog',
        summary: "A node's log, past and to come",
        description:
          'Each message has more of the text, `{"text": "..."}`; its `id` is where the next one goes on. The last, ' +
          'event `end`, is `{"end": true}`: the node has ended and all that left its host was sent.',
        tags: ['runs'],
        params: LogPath,
        querystring: LogQuery,
        headers: ResumeHeaders,
        response: { 200: eventStream('Messages with the text of the log.') },
      },
    },
    async ({ params, query, headers }, reply) => {
      const { ref, look } = await find(params, query.launch);
      return sendStream(reply, (end) => follow(ref, headers['last-event-id'], look, end));
    },
  );

  /** A site may send the log of a launch that it has a part in; a central host is believed. */
  async function mustHave({ role }: Caller, { runId, launchId, node }: NodeRef): Promise<void> {
    if (role === 'central') return;
    const [run, row] = await Promise.all([lookUpRun(db, runId), lookUpNode(db, runId, node)]);
    const isCurrent = row !== undefined && [run?.launchId, row.launchId].includes(launchId);
    if (isCurrent || (await objects.stat(kitKey(runId, launchId, node))) !== undefined) return;
    throw new HttpProblem('unknown-node', `There is no node ${node} in launch ${launchId} of run ${runId}.`);
  }

  /** The log that is meant, and how to look whether more of it is to come. */
  async function find({ runId, node }: z.output<typeof LogPath>, launch: string | undefined) {
    const run = await findRun(db, runId);
    await truth.check(run);
    const row = await lookUpNode(db, runId, node);
    if (node !== PROVISION_NODE && row === undefined)
      throw new HttpProblem('unknown-node', `Run ${runId} has no node ${node}.`);
    const launchId = launch ?? row?.view.retry?.launchId ?? run.launchId ?? undefined;
    if (launchId === undefined)
      throw new HttpProblem('no-log', `Run ${runId} is ${run.state}: nothing of it was launched yet.`);
    const look = async () => {
      const now = await findRun(db, runId);
      await truth.check(now);
      const view = (await lookUpNode(db, runId, node))?.view;
      const current = view?.retry?.launchId ?? now.launchId;
      if (current !== null && current !== launchId) return { state: undefined, isOver: true };
      if (node === PROVISION_NODE) return { state: undefined, isOver: now.state !== 'provisioning' };
      return { state: view?.state, isOver: view !== undefined && hasEnded(view) };
    };
    return { ref: { runId, launchId, node }, look };
  }

  async function* follow(
    ref: NodeRef,
    lastEventId: number,
    look: () => Promise<{ isOver: boolean }>,
    end: AbortSignal,
  ): AsyncGenerator<string> {
    let next = lastEventId;
    let spokeAt = Date.now();
    const decoder = new TextDecoder();
    yield GREETING;
    while (!end.aborted) {
      // Asked before the log is read: what came before the end is found then.
      const { isOver } = await look();
      const before = next;
      for await (const part of readLogParts(objects, ref, next)) {
        next = part.next;
        yield message({ text: decoder.decode(part.text, { stream: true }) }, next);
        spokeAt = Date.now();
      }
      if (next > before) continue;
      if (isOver) {
        yield message({ end: true }, next);
        return;
      }
      if (Date.now() - spokeAt >= HEARTBEAT_MS) {
        yield HEARTBEAT;
        spokeAt = Date.now();
      }
      await sleep(POLL_MS, undefined, { signal: end }).catch(() => undefined);
    }
  }
  done();
};

function hasEnded({ state, since }: { state: Parameters<typeof isTerminalNode>[0]; since: number }): boolean {
  const isSettled = state === 'complete' || state === 'failed' || Date.now() - since > LAST_WORDS_MS;
  return isTerminalNode(state) && isSettled;
}

async function* textOf(first: LogPart, others: AsyncIterable<LogPart>): AsyncGenerator<Buffer> {
  yield first.text;
  for await (const { text } of others) yield text;
}

function message(content: LogMessage, id: number): string {
  const event = 'end' in content ? 'event: end\n' : '';
  return `id: ${id}\n${event}data: ${JSON.stringify(content)}\n\n`;
}
