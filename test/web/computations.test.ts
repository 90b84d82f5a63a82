/** Registering a computation on the page: what is wrong with its manifest is said before anything is sent. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from '../../web/computations/read-manifest';
import { describeInBrowser } from '../support/browser';
import { json, problem } from '../support/contract-server';
import { useThePage } from './on-the-page';
import * as scenes from './scenes';

const PENGUINS = readFileSync(join(__dirname, '../../computations/penguins/computation.yaml'), 'utf8');

describe('a manifest', () => {
  test('is good as its author wrote it, in YAML or JSON', () => {
    const read = readManifest(PENGUINS);
    expect(read.kind).toBe('good');
    if (read.kind !== 'good') return;
    expect(readManifest(JSON.stringify(read.manifest))).toEqual(read);
  });

  test.each([
    ['name: penguins\nversion: 1.0.0\nresources:\n  memory: plenty\n', 'line 4:11, resources.memory'],
    ['name: penguins\n', 'version is missing'],
    ['name: penguins\nversion: 1.0.0\nport: 2\n', 'port'],
    ['name: penguins\nversion: 1\n', 'line 2:10, version is to be a text: write it in quotes'],
    ['name: [\n', 'line 2:1'],
    ['a: &a [*a]\n', ''],
  ])('%j is said to be wrong where it is', (text, where) => {
    const read = readManifest(text);
    expect(read.kind).toBe('faulty');
    if (read.kind === 'faulty')
      expect(read.faults.map((fault) => `${fault.where} ${fault.says}`).join('\n')).toContain(where);
  });
});

describeInBrowser('registering a computation', () => {
  const on = useThePage();
  const choose = (name: string, text: string) =>
    on.page
      .locator('input[type=file]')
      .setInputFiles({ name, mimeType: 'application/yaml', buffer: Buffer.from(text) });
  const POST = 'computations?replace=false';
  const registered = () => {
    const { computations } = scenes.lively()['GET computations'] as { computations: unknown[] };
    return computations[0];
  };

  test('a file that is none says where and what; the next one is looked at anew', async () => {
    await on.open('/admin/computations');
    await on.button('Choose a file').waitFor();
    await choose('computation.yaml', 'name: Penguins!\nversion: 1.0.0\nimagee: x\n');
    await on.see('computation.yaml is no manifest of a computation yet:');
    await on.see('line 1:7, name');
    await on.see('use a-z, 0-9 and - only');
    await on.see(/imagee/);
    expect(await on.button('Register').count()).toBe(0);
    await choose('computation.yaml', PENGUINS);
    await on.button('Register').waitFor();
    expect(await on.page.getByText('is no manifest').count()).toBe(0);
  });

  test('a good one is registered, also where its image has to be pulled first', async () => {
    let asked = 0;
    on.server.instead = ({ method, path }) => {
      if (method !== 'POST' || path !== `/api/${POST}`) return undefined;
      asked += 1;
      if (asked > 1) return json(201, registered());
      return problem(503, 'Pulling', { type: 'urn:muster:problem:image-pending' });
    };
    await on.open('/admin/computations');
    await on.button('Choose a file').waitFor();
    await choose('computation.yaml', PENGUINS);
    await on.button('Register').click();
    await on.see('A central host is pulling the image.');
    await on.see(/penguins .* is registered\./);
    expect(on.sent('POST', POST)[1]).toMatchObject({ body: { name: 'penguins' } });
  });

  test('another manifest of the same version replaces it only after a question', async () => {
    on.server.instead = ({ method, path }) => {
      if (method !== 'POST') return undefined;
      if (path.endsWith('replace=true')) return json(200, registered());
      if (!path.endsWith('replace=false')) return undefined;
      const detail = 'penguins 1.0.0 is registered with another manifest.';
      return problem(409, 'There is one', { type: 'urn:muster:problem:computation-exists', detail });
    };
    await on.open('/admin/computations');
    await on.button('Choose a file').waitFor();
    await choose('computation.yaml', PENGUINS);
    await on.button('Register').click();
    await on.see('It was not registered. penguins 1.0.0 is registered with another manifest.');
    await on.button('Replace it').click();
    await on.button('Replace it', on.dialog()).click();
    await on.see(/penguins .* is registered\./);
  });

  test('one that is signed is left to the command line, which checks the signature', async () => {
    await on.open('/admin/computations');
    await on.button('Choose a file').waitFor();
    await choose('signed.yaml', `${PENGUINS}\nsignature: aa.bb.cc\n`);
    await on.see('muster computation add signed.yaml');
    expect(await on.button('Register').count()).toBe(0);
  });
});
