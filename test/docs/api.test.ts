/** The commands of docs/api.md, one after another, against an API; and the words by which a webhook is verified. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';
import { signed } from '../../activities/central/deliver-webhook';
import { packageRoot } from '../../dev/package-root';
import { ConsortiumView, RunList } from '../../workflows/api-contract';
import { register } from '../server/scenes';
import { lead, useServer } from '../server/server';
import { useFolder } from '../support/folder';

/** A stream that has nothing to say is heard of several times within this. */
const PATIENCE_MS = 120_000;

const blocksOf = async (language: string) => {
  const guide = await readFile(join(packageRoot(), 'docs/api.md'), 'utf8');
  const blocks = guide.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'));
  return [...blocks].map(([, text = '']) => text);
};

describe('docs/api.md', () => {
  const server = useServer();
  const folder = useFolder();

  it(
    'has commands that do what it says',
    async () => {
      await register(server, 'palmer');
      const env = {
        PATH: process.env.PATH,
        MUSTER_API_URL: await server.app.listen({ host: '127.0.0.1', port: 0 }),
        MUSTER_API_TOKEN: await server.tokenOf(lead('palmer')),
      };
      const script = (await blocksOf('sh')).join('');
      const { stdout } = await promisify(execFile)('bash', ['-eu', '-c', script], { cwd: folder, env });

      const { runs } = RunList.parse((await server.call('GET /api/runs?consortium=palmer')).json());
      expect(runs).toHaveLength(1);
      // The list, the run, and what is told of it.
      expect(stdout.match(new RegExp(runs[0]?.runId ?? 'none', 'g'))?.length).toBeGreaterThan(3);
      const { description } = ConsortiumView.parse((await server.call('GET /api/consortia/palmer')).json());
      expect(description).toBe('Flippers and weight');
    },
    PATIENCE_MS,
  );

  it('verifies what is posted to a webhook, and nothing else', async () => {
    const [text = ''] = await blocksOf('js');
    const Verify = z.custom<(secret: string, headers: object, body: string) => boolean>(
      (value) => typeof value === 'function',
    );
    const surroundings = { require, Buffer, Math, Date, Number };
    const isFromMuster = Verify.parse(runInNewContext(`${text}; isFromMuster`, surroundings));
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const body = '{"type":"run.finished"}';
    const headers = signed('a', secret, body, Date.now());
    expect(isFromMuster(secret, headers, body)).toBe(true);
    expect(isFromMuster(secret, headers, `${body} `)).toBe(false);
    expect(isFromMuster(`whsec_${Buffer.alloc(32, 8).toString('base64')}`, headers, body)).toBe(false);
    expect(isFromMuster(secret, signed('a', secret, body, 0), body)).toBe(false);
  });
});
