/** The commands of docs/consortia.md, one after another, against an API: they found a consortium and start its run. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../dev/package-root';
import { ConsortiumList, RunList } from '../../workflows/api-contract';
import { ConsortiumChanges } from '../../workflows/consortium-contract';
import { admin, person, useServer } from '../server/server';
import { useFolder } from '../support/folder';

describe('docs/consortia.md', () => {
  const server = useServer();
  const folder = useFolder();

  it('has commands that do what it says', async () => {
    await server.call('POST /api/computations', { body: { name: 'penguins', version: '1.0.0' } });
    // So that there is this site.
    await server.tokenOf(person('ada@biscoe', { sites: ['biscoe'] }));
    const guide = await readFile(join(packageRoot(), 'docs/consortia.md'), 'utf8');
    const commands = [...guide.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text = '']) => text);
    const env = {
      ...{ PATH: process.env.PATH, API: await server.app.listen({ host: '127.0.0.1', port: 0 }) },
      TOKEN: await server.tokenOf(admin),
    };
    const script = commands
      .join('')
      .replace(/^export .*$/m, 'export MUSTER_API_URL=$API MUSTER_API_TOKEN=$TOKEN');
    expect(script).toContain('MUSTER_API_URL=$API');
    await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env });

    const get = async (path: string): Promise<unknown> => (await server.call(`GET /api${path}`)).json();
    const [consortium] = ConsortiumList.parse(await get('/consortia')).consortia;
    expect(consortium).toMatchObject({
      ...{ id: 'palmer', computation: { name: 'penguins', version: '1.0.0' } },
      sites: [{ id: 'biscoe', name: 'Biscoe', dataset: 'penguins' }],
    });
    expect(RunList.parse(await get('/runs?consortium=palmer')).runs).toHaveLength(1);
    const { changes } = ConsortiumChanges.parse(await get('/consortia/palmer/changes'));
    expect(changes.map(({ says }) => says)).toEqual([
      'Accepted for the site biscoe, with the dataset penguins.',
      'Invited the site biscoe.',
      expect.stringMatching(/^Changed computation/),
      'Founded the consortium.',
    ]);
  });
});
