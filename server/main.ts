/** The central API as a process: reads its settings, opens what it needs, and listens until it is told to end. */
import closeWithGrace from 'close-with-grace';
import fastify, { type FastifyBaseLogger } from 'fastify';
import { existsSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { readTlsFiles } from '../certificates/tls-files';
import { createObjectStore } from '../storage/object-store';
import { app, serverOptions } from './app';
import { createImages } from './registry/images';
import { ConfigError, readConfig } from './config';
import { openDatabase, type Database } from './db/client';
import { openIdentity } from './identity/open-identity';
import { openSiteDoor } from './identity/site-door';
import { listen } from './listen';
import { createLogger } from './logger';
import { createPost } from './notices/post';
import { createNoticeSecrets } from './notices/secrets';
import { createParameterSeal } from './parameters/seal';
import { sealRows } from './parameters/seal-rows';
import { inviteFirstAdmin } from './people/invitations';
import { linkOf } from './routes/invitations';
import { connectTemporal, createRuns } from './runs/temporal';

/** Requests under way may take so long to end after a signal. */
const GRACE_MS = 10_000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLogger(config.logLevel);
  const identity = config.sites && (await openIdentity(config.sites));
  const database = await openDatabase(config.database, log);
  const { payloadKeys } = config;
  const unreadable =
    (await sealRows(database.db, createParameterSeal(payloadKeys))) +
    (await createNoticeSecrets(payloadKeys).reseal(database.db));
  if (unreadable > 0)
    log.warn(
      { rows: unreadable },
      'parameters or secrets were sealed by a key that MUSTER_PAYLOAD_KEYS does not list',
    );
  const { tls } = config.temporal;
  const temporal = connectTemporal(
    config.temporal,
    config.payloadKeys,
    tls && (await readTlsFiles('TEMPORAL', tls)),
  );
  const { trustedProxies: trustProxy = false } = config;
  const server = fastify({ ...serverOptions, trustProxy, loggerInstance: log });
  server.addHook('onClose', async () => {
    await Promise.all([database.close(), temporal.connection.close()]);
  });
  closeWithGrace({ delay: GRACE_MS, logger: log }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'ending after an error');
    else log.info({ signal }, 'ending');
    await server.close();
  });
  await server.register(app, {
    config,
    db: database.db,
    temporal: createRuns(temporal),
    images: createImages(temporal),
    post: createPost(temporal),
    objects: createObjectStore(config.objectStore),
    identity,
    page: builtPage(),
  });
  const { sites } = config;
  const serve: RequestListener = (request, response) => server.routing(request, response);
  const siteDoor = sites &&
    identity && { ...sites, create: () => openSiteDoor({ identity, files: sites.tls, serve, log }) };
  const addresses = await listen(server, config, siteDoor);
  if (config.adminLink) await tellFirstAdmin(database.db, config.publicUrl, log);
  log.info({ addresses, publicUrl: config.publicUrl }, 'ready');
}

/** For whoever starts the server, who reads what it prints: the link is nowhere else. */
async function tellFirstAdmin(db: Database, publicUrl: string, log: FastifyBaseLogger): Promise<void> {
  const invitation = await inviteFirstAdmin(db);
  if (invitation === undefined) return;
  const { link, expiresAt } = linkOf(publicUrl, invitation);
  log.warn({ expiresAt }, 'there is no admin yet: a link for the first one was printed');
  process.stderr.write(`Nobody is an admin yet. Who opens this link within a day becomes one: ${link}\n`);
}

/** The page is built beside the server; the API also works without it. */
function builtPage(): string | undefined {
  const folder = join(__dirname, '../web');
  return existsSync(join(folder, 'index.html')) ? folder : undefined;
}

main().catch((error: unknown) => {
  const wrong = error instanceof ConfigError;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(wrong ? 2 : 1);
});
