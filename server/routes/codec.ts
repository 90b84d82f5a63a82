/**
 * Temporal's codec protocol: its Web UI has what histories hold opened and sealed here, for those who may see it. A browser
 * that shows the Web UI sends no access token, so it shows a cookie that is good for these two routes only.
 */
import type { Payload as TemporalPayload } from '@temporalio/common';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { UnreadablePayload, createPayloadCodec } from '../../sealing/payload-codec';
import type { ServerConfig } from '../config';
import { readCookie, writeCookie } from '../cookies';
import { mustBePerson, operator, type Caller } from '../access';
import type { People } from '../people/people';
import { HttpProblem } from '../problem';
import { CODEC_PASS_SECONDS, type Tokens } from '../tokens';
import { nothing } from './responses';

const COOKIE = 'muster_codec';
const PATH = '/api/codec';
/** A page of a history in base64; Temporal takes 2 MiB for one payload. */
const BODY_LIMIT = 8 * 2 ** 20;
const MOST_PAYLOADS = 1_000;
const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
/** Whoever sets these speaks for somebody else. */
const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/** `temporal.api.common.v1.Payload` as protobuf's JSON. */
const Payload = z.object({
  metadata: z.record(z.string(), z.base64()).nullish(),
  data: z.base64().nullish(),
});
const Payloads = z.object({ payloads: z.array(Payload).max(MOST_PAYLOADS) }).meta({
  examples: [{ payloads: [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'InBlbmd1aW5zIg==' }] }],
});
type Payloads = z.output<typeof Payloads>;

interface Deps {
  config: Pick<ServerConfig, 'payloadKeys' | 'codecFor' | 'temporal'>;
  people: People;
  tokens: Tokens;
}

export const codecRoutes: FastifyPluginCallbackZod<Deps> = (server, { config, people, tokens }, done) => {
  const codec = createPayloadCodec(config.payloadKeys);
  const { uiUrl } = config.temporal;
  const uiOrigin = uiUrl === undefined ? undefined : new URL(uiUrl).origin;

  server.addHook('onSend', async ({ headers: { origin } }, reply) => {
    reply.header('vary', 'origin');
    if (origin !== undefined && origin === uiOrigin)
      reply.headers({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' });
  });

  /** Pages other than the Web UI's do not get by on what a browser adds by itself. */
  async function claims(request: FastifyRequest): Promise<Caller | undefined> {
    const { origin, cookie, authorization } = request.headers;
    if (authorization !== undefined || (origin !== undefined && origin !== uiOrigin)) return undefined;
    if (config.codecFor === 'local' && isLocal(request)) return operator('this machine');
    const pass = readCookie(cookie, COOKIE);
    return pass === undefined ? undefined : bearerOf(pass);
  }

  /** Who asked for the pass, if they are an admin still. */
  async function bearerOf(pass: string): Promise<Caller> {
    const { id, sub } = await tokens.verifyCodecPass(pass);
    if (id === operator(sub).id || (await people.isAdmin(id))) return operator(sub);
    throw new HttpProblem('unauthenticated', `${sub} is no admin any more.`);
  }

  const change = (name: 'decode' | 'encode', summary: string) => {
    const path = `/codec/${name}`;
    server.options(path, { config: { roles: 'anyone' }, schema: { hide: true } }, (_request, reply) => {
      reply.headers({
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'authorization, content-type, x-namespace',
        'access-control-max-age': '600',
      });
      return reply.code(204).send();
    });
    server.post(
      path,
      {
        config: { roles: ['admin'], claims, audit: false, refuses: ['unreadable-payload'] },
        bodyLimit: BODY_LIMIT,
        schema: {
          operationId: `${name}Payloads`,
          summary,
          description: `Temporal's codec protocol. An admin's token may be sent, or the cookie of \`POST ${PATH}/pass\`.`,
          tags: ['temporal'],
          security: [{ token: [] }, { codecPass: [] }],
          body: Payloads,
          response: { 200: Payloads },
        },
      },
      async ({ body }) => asJson(await codec[name](asPayloads(body)).catch(asProblem)),
    );
  };
  change('decode', 'Payloads of a history, opened');
  change('encode', 'Payloads, sealed for a history');

  server.post(
    '/codec/pass',
    {
      config: { roles: ['admin'], audit: 'codec.pass' },
      schema: {
        operationId: 'passToCodec',
        summary: "Lets the caller's browser have histories opened for Temporal's Web UI",
        description: 'The answer sets a cookie that is good for half a day, and for nothing else.',
        tags: ['temporal'],
        response: { 204: nothing },
      },
    },
    async ({ claims }, reply) => {
      const pass = writeCookie(COOKIE, await tokens.codecPass(mustBePerson(claims)), {
        ...{ path: PATH, sameSite: 'Strict', until: { seconds: CODEC_PASS_SECONDS } },
        // Browsers count addresses with and without TLS as different sites, so the API is reached as the Web UI is.
        secure: uiUrl?.startsWith('https:') === true,
      });
      reply.header('set-cookie', pass);
      return reply.code(204).send();
    },
  );
  done();
};

function isLocal({ socket, headers }: FastifyRequest): boolean {
  return LOOPBACK.has(socket.remoteAddress ?? '') && FORWARDED.every((name) => headers[name] === undefined);
}

const asPayloads = ({ payloads }: Payloads): TemporalPayload[] =>
  payloads.map(({ metadata, data }) => ({
    metadata: mapValues(metadata ?? {}, (value) => Buffer.from(value, 'base64')),
    data: Buffer.from(data ?? '', 'base64'),
  }));

const asJson = (payloads: TemporalPayload[]): Payloads => ({
  payloads: payloads.map(({ metadata, data }) => ({
    metadata: mapValues(metadata ?? {}, base64),
    data: base64(data ?? new Uint8Array()),
  })),
});

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

function mapValues<From, To>(record: Record<string, From>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

function asProblem(error: unknown): never {
  if (error instanceof UnreadablePayload) throw new HttpProblem('unreadable-payload', error.message);
  throw error;
}
