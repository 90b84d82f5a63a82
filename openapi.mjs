// `npm run openapi`: writes docs/openapi.json from the routes as they are, and makes the client anew. Types are not checked on the
// way, for what calls a new operation fits only afterwards.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { build } from 'esbuild';
import { generateClient } from './generate-client.mjs';

const rooms = ['server', 'workflows', 'storage', 'certificates', 'sealing'];
await build({
  entryPoints: rooms.map((room) => `${room}/**/*.ts`),
  outbase: '.',
  outdir: 'dist',
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  logLevel: 'warning',
});
const { describeApi } = createRequire(import.meta.url)('./dist/server/openapi-document.js');
writeFileSync('docs/openapi.json', await describeApi());
await generateClient();
