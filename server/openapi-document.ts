/** The description of the API as it is kept in docs/openapi.json: of the routes as they are, without anything that they work with. */
import { drizzle } from 'drizzle-orm/node-postgres';
import fastify from 'fastify';
import { randomBytes } from 'node:crypto';
import type { NamedKey } from '../sealing/key-ring';
import { createObjectStore } from '../storage/object-store';
import { app, serverOptions } from './app';
import { createPost } from './notices/post';
import { createImages } from './registry/images';
import { connectTemporal, createRuns } from './runs/temporal';

/** Nothing is asked of it. */
const NOWHERE = '127.0.0.1:1';

/** What `GET /openapi.json` answers, as the text of a file that changes only where the API does. */
export async function describeApi(): Promise<string> {
  const secret = randomBytes(32);
  const payloadKeys: [NamedKey] = [{ id: 'none', secret }];
  const temporal = { address: NOWHERE, namespace: 'none' };
  const client = connectTemporal(temporal, payloadKeys);
  const server = fastify(serverOptions);
  await server.register(app, {
    config: {
      ...{ secret: secret.toString('hex'), payloadKeys, codecFor: 'admins', temporal },
      publicUrl: `http://${NOWHERE}`,
    },
    db: drizzle.mock(),
    temporal: createRuns(client),
    images: createImages(client),
    post: createPost(client),
    objects: createObjectStore({
      ...{ endpoint: new URL(`http://${NOWHERE}`), accessKey: 'none', secretKey: 'none', bucket: 'none' },
    }),
  });
  await server.ready();
  const document = inOrder(server.swagger());
  await server.close();
  await client.connection.close();
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Paths and schemas stand by name, so that a route that moves in the program changes nothing. */
function inOrder<Document extends { paths?: object; components?: { schemas?: object } }>(document: Document) {
  const { paths = {}, components = {} } = document;
  return {
    ...document,
    components: { ...components, schemas: byName(components.schemas ?? {}) },
    paths: byName(paths),
  };
}

const byName = (record: object) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
