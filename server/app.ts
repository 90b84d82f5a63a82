/**
 * The central API as a plugin: all of its routes, and nothing of the process around it. What it works with is given to
 * it, so a test can serve it on a database and a namespace of its own.
 */
import { LogController, type FastifyBaseLogger, type FastifyServerOptions } from 'fastify';
import fp from 'fastify-plugin';
import { serializerCompiler, type FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ObjectStore } from '../storage/object-store';
import type { Images } from './registry/images';
import { createParameterSeal } from './parameters/seal';
import { createRegistry } from './registry/computations';
import { createConsortia } from './consortia/consortia';
import type { ServerConfig } from './config';
import type { Database } from './db/client';
import { createEnrolment } from './identity/enrolment';
import type { Identity } from './identity/open-identity';
import { createChanges } from './changes/changes';
import { openSources } from './changes/sources';
import { createJournal } from './journal';
import auditing from './plugins/audit';
import auth from './plugins/auth';
import etags from './plugins/etags';
import openapi from './plugins/openapi';
import page from './plugins/page';
import problems, { sendProblem } from './plugins/problems';
import securityHeaders from './plugins/security-headers';
import sitesOnly from './plugins/sites-only';
import { invalidRequest, plainProblem } from './problem';
import { createDeliveries } from './notices/deliveries';
import { createOutbox } from './notices/outbox';
import { createMail } from './notices/mail';
import { createPeopleNotices } from './notices/people';
import type { Post } from './notices/post';
import { createReceivers } from './notices/receivers';
import { createNoticeSecrets } from './notices/secrets';
import { createReports } from './reports';
import { auditRoutes } from './routes/audit';
import { changeRoutes } from './routes/changes';
import { codecRoutes } from './routes/codec';
import { computationRoutes } from './routes/computations';
import { consortiumRoutes } from './routes/consortia';
import { enrolmentRoutes, type Enrolling } from './routes/enrolment';
import { errorRoutes } from './routes/errors';
import { eventRoutes } from './routes/events';
import { gatewayRoutes } from './routes/gateways';
import { healthRoutes } from './routes/health';
import { invitationRoutes } from './routes/invitations';
import { kitRoutes } from './routes/kits';
import { launchRoutes } from './routes/launches';
import { logRoutes } from './routes/logs';
import { meRoutes } from './routes/me';
import { membershipRoutes } from './routes/memberships';
import { nodeRoutes } from './routes/nodes';
import { noticeRoutes } from './routes/notices';
import { OIDC_PATH, oidcRoutes } from './routes/oidc';
import { peopleRoutes } from './routes/people';
import { readinessRoutes } from './routes/readiness';
import { reportRoutes } from './routes/reports';
import { resultRoutes } from './routes/results';
import { retryRoutes } from './routes/retry';
import { runRoutes } from './routes/runs';
import { sessionRoutes } from './routes/session';
import { siteRoutes } from './routes/sites';
import { createEndedParts } from './runs/ended-parts';
import { createFeeds } from './runs/feed';
import { createKitKeys } from './runs/kit-keys';
import { createLaunches } from './runs/launches';
import { createLinks } from './runs/links';
import { createLiveness } from './runs/liveness';
import { createNodeReports } from './runs/node-reports';
import { createPresenceWatch } from './runs/presence-watch';
import { createRetries } from './runs/retries';
import { createSignedLaunches } from './runs/signed-launches';
import { createStartRun } from './runs/start';
import type { Runs } from './runs/temporal';
import { createTruth } from './runs/truth';
import { createAnswers } from './sites/answers';
import { createGateways } from './sites/gateways';
import { createPresence } from './sites/presence';
import { createReadiness } from './sites/readiness';
import { createAudit } from './audit/audit';
import { createApiTokens } from './people/api-tokens';
import { createInvitations } from './people/invitations';
import { createLocalAccounts } from './people/local-accounts';
import { createOidc } from './people/oidc';
import { createFlows } from './people/oidc-flows';
import { createPasswords } from './people/passwords';
import { createPeople } from './people/people';
import { createSessionCookie } from './people/session-cookie';
import { createSessions } from './people/sessions';
import { createSiteTies } from './people/site-ties';
import { createDestinations } from './people/destinations';
import { createTokens } from './tokens';

export interface AppOptions {
  config: Pick<ServerConfig, 'secret' | 'payloadKeys' | 'codecFor' | 'publicUrl' | 'temporal' | 'oidc'>;
  db: Database;
  temporal: Runs;
  images: Images;
  /** Has notices sent. */
  post: Post;
  objects: ObjectStore;
  /** What this instance shows to sites; absent where no site can join. */
  identity?: Identity | undefined;
  /** Folder of the built page; without one only the API is served. */
  page?: string | undefined;
}

/** Options of the server that {@link app} is to be registered with. */
export const serverOptions = {
  bodyLimit: 2 ** 20,
  // Longer than any id, so that one that is too long is told what is wrong with it.
  routerOptions: { maxParamLength: 500 },
  // While it closes, what still comes in on open connections is served and is the last on them.
  return503OnClosing: false,
  logController: new LogController({ disableRequestLogging: true }),
  genReqId: () => randomUUID(),
  frameworkErrors: (error, _request, reply) =>
    void sendProblem(reply, plainProblem(error.statusCode ?? 400, error.message)),
} satisfies FastifyServerOptions;

const plugin: FastifyPluginAsyncZod<AppOptions> = async (server, options) => {
  const { config, db, temporal, images, post, objects, identity } = options;
  const log = server.log;
  const tokens = createTokens(config.secret);
  const destinations = createDestinations(db);
  const findSiteTies = createSiteTies(db);
  const passwords = createPasswords();
  const sessions = createSessions({ db, secret: config.secret });
  const cookie = createSessionCookie({ sessions, publicUrl: config.publicUrl });
  const apiTokens = createApiTokens({ db });
  const accounts = createLocalAccounts({ db, passwords, log });
  const people = createPeople({ db, passwords });
  const invitations = createInvitations({ db, passwords, findSiteTies });
  const audit = createAudit({ db });
  const oidc = config.oidc && createOidc(config.oidc, `${config.publicUrl}${OIDC_PATH}/callback`);
  const links = createLinks(config);
  const journal = createJournal(db);
  const outbox = createOutbox({ db, post, log });
  const reports = createReports(journal, outbox);
  const truth = createTruth({ temporal, reports, log });
  const launches = createLaunches({ db, temporal, objects });
  const kitKeys = createKitKeys({ db, payloadKeys: config.payloadKeys });
  const nodeReports = createNodeReports({ reports, log });
  const registry = createRegistry({ db, images });
  const parameters = createParameterSeal(config.payloadKeys);
  const noticeSecrets = createNoticeSecrets(config.payloadKeys);
  const consortia = createConsortia({ db, registry, parameters });
  const startRun = createStartRun({ db, journal, registry, parameters, temporal, links });
  const retries = createRetries({ db, journal, temporal, truth });
  const endedParts = createEndedParts({ db, temporal, log });
  const presence = createPresence({ db });
  const gateways = createGateways({ db, presence, log });
  const readiness = createReadiness({ db, consortia, registry, presence });
  const enrolling = createEnrolling(options, log);
  const changes = createChanges({ open: () => openSources({ db, presence, destinations }), log });
  journal.onChange(() => changes.wake());
  const watch = createPresenceWatch({ db, temporal, presence, log });
  const closing = new AbortController();
  const watching = Promise.all([watch.run(closing.signal), outbox.run(closing.signal)]);
  server.addHook('onClose', async () => {
    nodeReports.close();
    endedParts.close();
    closing.abort();
    await Promise.all([watching, changes.close()]);
  });

  server.setValidatorCompiler<z.core.$ZodType>(({ schema, httpPart = '' }) => (data) => {
    const parsed = z.core.safeParse(schema, data);
    return parsed.success ? { value: parsed.data } : { error: invalidRequest(httpPart, parsed.error) };
  });
  server.setSerializerCompiler(serializerCompiler);

  await server.register(securityHeaders);
  await server.register(problems);
  await server.register(sitesOnly);
  await server.register(openapi);
  await server.register(healthRoutes, { db, temporal, objects });
  await server.register(
    async (api) => {
      await api.register(etags);
      api.addHook('onResponse', ({ method }, _reply, heard) => {
        if (method !== 'GET') changes.wake();
        heard();
      });
      await api.register(auth, {
        ...{ tokens, apiTokens, cookie, destinations, sites: enrolling?.enrolment },
      });
      await api.register(auditing, { audit, db });
      const { publicUrl } = config;
      await api.register(codecRoutes, { config, people, tokens });
      await api.register(sessionRoutes, { accounts, people, sessions, cookie, tokens, oidc });
      await api.register(meRoutes, { accounts, people, sessions, apiTokens });
      await api.register(peopleRoutes, { people, invitations, publicUrl });
      await api.register(invitationRoutes, { invitations, people, cookie, publicUrl });
      await api.register(auditRoutes, { audit });
      await api.register(oidcRoutes, {
        ...{ db, oidc, invitations, cookie, publicUrl },
        flows: createFlows(config.secret),
      });
      await api.register(computationRoutes, { registry });
      await api.register(consortiumRoutes, { consortia, destinations, startRun, links });
      await api.register(membershipRoutes, { db, consortia, audit });
      await api.register(readinessRoutes, { consortia, readiness });
      await api.register(siteRoutes, {
        ...{ db, destinations, findSiteTies, consortia, presence, readiness },
        answers: createAnswers({ db }),
      });
      await api.register(enrolmentRoutes, { findSiteTies, enrolling, gateways });
      await api.register(gatewayRoutes, { gateways });
      await api.register(retryRoutes, { db, retries });
      await api.register(errorRoutes, { db });
      await api.register(runRoutes, { db, temporal, truth, launches, links });
      await api.register(eventRoutes, { db, feeds: createFeeds({ db, journal, truth }) });
      await api.register(changeRoutes, { db, changes, destinations });
      await api.register(logRoutes, { db, objects, truth });
      await api.register(resultRoutes, { db, objects, truth });
      await api.register(noticeRoutes, {
        receivers: createReceivers({ db, secrets: noticeSecrets }),
        deliveries: createDeliveries({ db, secrets: noticeSecrets, links, publicUrl: config.publicUrl, log }),
        ...{ outbox, people: createPeopleNotices(db), mail: createMail(db) },
      });
      await api.register(reportRoutes, { db, reports, temporal });
      await api.register(launchRoutes, { liveness: createLiveness({ db, temporal, endedParts }) });
      await api.register(kitRoutes, { kitKeys });
      await api.register(nodeRoutes, {
        ...{ db, temporal, objects, launches, nodeReports, tokens },
        signedLaunches:
          identity && createSignedLaunches({ db, kitKeys, signingKey: identity.signingKey.privateKey }),
      });
    },
    { prefix: '/api' },
  );
  if (options.page !== undefined) await server.register(page, { folder: options.page });
};

function createEnrolling(
  { db, identity, config }: AppOptions,
  log: FastifyBaseLogger,
): Enrolling | undefined {
  if (identity === undefined) return undefined;
  const { siteCa, pin } = identity;
  const { publicUrl } = config;
  return { identity, publicUrl, enrolment: createEnrolment({ db, siteCa, pin, log }) };
}

export const app = fp(plugin, { name: 'central-api' });
