// Everything `npm run build` makes: dist/ (the compiled rooms), the workflow bundle, the page and the example
// computations. Each step reads only sources and writes only below dist/ and client/generated/, so a build can be repeated at any time.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { build as buildPage } from 'vite';
import { generateClient } from './generate-client.mjs';

// `npx muster` in this folder links the command for itself and has the package prepared for that, which it is: to build once more would
// take what is being served, or run, away for a while.
const { npm_lifecycle_event: event, npm_command: command } = process.env;
if (event === 'prepare' && command === 'exec' && existsSync('dist/cli/main.js')) process.exit(0);

await generateClient();

execFileSync(process.execPath, ['node_modules/typescript/bin/tsc'], { stdio: 'inherit' });

// The workflow bundle is made once here: a worker then starts without webpack, in a tenth of the time.
execFileSync(process.execPath, ['dist/workers/build-bundle.js'], { stdio: 'inherit' });

// What has a hash in its name is kept by browsers for good; the document names what belongs to it.
await buildPage({
  root: 'web',
  configFile: false,
  logLevel: 'warn',
  // The contract names signals with Temporal's library, which the page has no other use for.
  resolve: { alias: { '@temporalio/workflow': resolve('web/temporal-names.ts') } },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy allows no `data:` addresses.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: {
      // Asked for only by what the form's library has for tests, which no page carries.
      external: ['@rjsf/validator-ajv8'],
      onwarn(warning, warn) {
        // `use client` says nothing to a page that has no server part.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
});
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
