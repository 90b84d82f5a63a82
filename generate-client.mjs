// Makes client/generated/ from docs/openapi.json: the API's operations as methods, whose answers are validated. It is not kept in
// the repository, and nobody edits it.
import { createClient } from '@hey-api/openapi-ts';

export async function generateClient() {
  await createClient({
    input: './docs/openapi.json',
    output: {
      path: 'client/generated',
      clean: true,
      // Bundlers, Node and jest all find what has no ending.
      module: { extension: null },
      // It is checked by who made the generator, with other settings than ours.
      header: ['// @ts-nocheck', '// Made from docs/openapi.json by generate-client.mjs.', ''],
    },
    logs: { level: 'warn', file: false },
    plugins: [
      { name: '@hey-api/client-fetch', throwOnError: true },
      '@hey-api/typescript',
      { name: 'zod', definitions: true, requests: false, responses: true },
      {
        name: '@hey-api/sdk',
        responseStyle: 'data',
        validator: { request: false, response: 'zod' },
        operations: { strategy: 'single', containerName: 'Operations' },
      },
    ],
  });
}
