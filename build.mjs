// Everything `npm run build` makes: dist/ (the compiled rooms), the workflow bundle, the page and the example
// computations. Each step reads only sources and writes only below dist/ and client/generated/, so a build can be repeated at any time.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync } from 'node:fs';
import { build } from 'esbuild';
import { generateClient } from './generate-client.mjs';

await generateClient();

execFileSync(process.execPath, ['node_modules/typescript/bin/tsc'], { stdio: 'inherit' });

// The workflow bundle is made once here: a worker then starts without webpack, in a tenth of the time.
execFileSync(process.execPath, ['dist/workers/build-bundle.js'], { stdio: 'inherit' });

if (existsSync('web/main.ts')) {
  await build({
    entryPoints: ['web/main.ts'],
    bundle: true,
    minify: true,
    target: 'es2022',
    outdir: 'dist/web',
    logLevel: 'warning',
  });
  cpSync('web/static', 'dist/web', { recursive: true });
}
cpSync('server/db/migrations', 'dist/server/db/migrations', { recursive: true });

// A computation is one folder with one file per command: nothing to install in its image.
for (const name of readdirSync('computations')) {
  const src = `computations/${name}/src`;
  if (!existsSync(src)) continue;
  await build({
    entryPoints: ['provision', 'central', 'edge'].map((command) => `${src}/${command}.ts`),
    bundle: true,
    platform: 'node',
    target: 'node20',
    outdir: `computations/${name}/dist`,
    logLevel: 'warning',
  });
}
chmodSync('dist/cli/main.js', 0o755);
