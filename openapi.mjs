// `npm run openapi`: writes docs/openapi.json from the routes as they are, and makes the client anew. Types are not checked on the
// way, for what calls a new operation fits only afterwards. With `-- --release` it is also what later changes are held against: only
// of a version that has not been yet, for what was released once is not taken back.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { build } from 'esbuild';
import { generateClient } from './generate-client.mjs';

const rooms = ['server', 'workflows', 'storage', 'certificates', 'sealing', 'time'];
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
if (process.argv.includes('--release')) release('docs/openapi.json', 'docs/openapi-released.json');

function release(from, to) {
  const text = readFileSync(from, 'utf8');
  const versionOf = (json) => JSON.parse(json).info.version;
  if (existsSync(to) && versionOf(readFileSync(to, 'utf8')) === versionOf(text)) {
    console.error(
      `${to} is of ${versionOf(text)} already: raise the version in package.json and in the description first.`,
    );
    process.exitCode = 1;
    return;
  }
  writeFileSync(to, text);
}
