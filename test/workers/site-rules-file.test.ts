/** site.yaml as an administrator edits it while the worker runs. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SettingsError } from '../../workers/settings';
import { SiteRulesFile } from '../../workers/site-rules-file';
import { useFolder } from '../support/folder';

const path = join(useFolder(), 'site.yaml');
/** What is written of the site is followed by how it reaches the centre. */
const JOINED = '\ngateway: gateway.example.org:7410\napi: https://sites.example.org:7443\n';
const write = (text: string) => writeFile(path, text === '' ? text : text + JOINED);
const said: string[] = [];
const log = {
  info: (_about: object, message: string) => void said.push(message),
  error: ({ reason }: { reason: string }, message: string) =>
    void said.push(`${message}: ${reason.replace(path, 'FILE')}`),
};
const open = () => SiteRulesFile.open(path, log as never);

beforeEach(() => {
  said.length = 0;
});

test('an edit counts at once', async () => {
  await write('site: a');
  const file = await open();
  await expect(file.current()).resolves.toMatchObject({ logs: 'on-error' });
  await write('site: a\nlogs: none');
  await expect(file.current()).resolves.toMatchObject({ logs: 'none' });
  await file.current();
  expect(said).toEqual(['site.yaml was changed: its rules count from now on']);
});

test.each<[string, () => Promise<void>, RegExp]>([
  ['is not valid', () => write('site: a\nlogs: everything'), /FILE: \/logs /],
  ['is no YAML', () => write('site: [a'), /FILE: .* at line \d/],
  ['is empty, as while it is being written', () => write(''), /FILE: \/site /],
  ['is gone', () => rm(path), /FILE: there is no such file/],
  ['is of another site', () => write('site: b'), /FILE: \/site is b now, and this worker is that of a/],
])('a file that %s leaves the rules as they were, and that is said once', async (_, spoil, words) => {
  await write('site: a\nlogs: none');
  const file = await open();
  await spoil();
  for (let looks = 0; looks < 3; looks += 1)
    await expect(file.current()).resolves.toMatchObject({ site: 'a', logs: 'none' });
  expect(said).toEqual([expect.stringMatching(/^site.yaml is not valid: its old rules stay: /)]);
  expect(said[0]).toMatch(words);
  await write('site: a\nlogs: stream');
  await expect(file.current()).resolves.toMatchObject({ logs: 'stream' });
  expect(said).toHaveLength(2);
});

test('a worker does not begin with a file that is not valid', async () => {
  await write('site: a\nlogs: everything');
  await expect(open()).rejects.toThrow(SettingsError);
});
