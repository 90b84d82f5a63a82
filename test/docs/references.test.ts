/**
 * The documents say what the code does. `UPDATE_DOCS=1 npx jest test/docs && npm run format` writes what is made from the
 * code anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { siteRules } from '../../workers/policy-files';
import { Computation } from '../../workflows/contract';
import { cliReference } from './cli-reference';
import { errorReference } from './error-reference';
import { manifestReference, siteReference } from './manifest-reference';
import { problemReference } from './problem-reference';

const DOCS = join(__dirname, '../../docs');

/** A table means the same however its columns are aligned. */
const plain = (markdown: string) => markdown.trim().replace(/ +/g, ' ').replace(/-+/g, '-');

test.each([
  [
    'computations.md',
    '<!-- manifest: made from its schema -->',
    '<!-- end of manifest -->',
    manifestReference,
  ],
  ['site.md', '<!-- site.yaml: made from its schema -->', '<!-- end of site.yaml -->', siteReference],
  [
    'cli.md',
    '<!-- commands: made from the commands themselves -->',
    '<!-- end of commands -->',
    cliReference,
  ],
  ['errors.md', '<!-- errors: made from workflows/errors.ts -->', '<!-- end of errors -->', errorReference],
  [
    'errors.md',
    '<!-- problems: made from server/problem-kinds.ts -->',
    '<!-- end of problems -->',
    problemReference,
  ],
])('the reference in %s is that of the code', (name, begin, end, reference) => {
  const file = join(DOCS, name);
  const [before = '', rest = ''] = readFileSync(file, 'utf8').split(begin);
  const [written = '', after = ''] = rest.split(end);
  if (process.env.UPDATE_DOCS) writeFileSync(file, `${before}${begin}\n\n${reference()}\n\n${end}${after}`);
  else expect(plain(written)).toBe(plain(reference()));
});

test('every site.yaml in site.md is one', () => {
  const text = readFileSync(join(DOCS, 'site.md'), 'utf8');
  const files = [...text.matchAll(/```yaml\n(site:[^]*?)```/g)].map(([, yaml = '']) => yaml);
  expect(files.length).toBeGreaterThan(0);
  for (const yaml of files) expect(siteRules('site.yaml', yaml)).toMatchObject({ file: 'site.yaml' });
});

test.each(['computations.md', 'neuroflame.md'])('every manifest in %s is one', (name) => {
  const text = readFileSync(join(DOCS, name), 'utf8');
  const manifests = [...text.matchAll(/```yaml\n(name:[^]*?)```/g)].map(([, yaml = '']) => yaml);
  expect(manifests.length).toBeGreaterThan(0);
  for (const yaml of manifests) expect(Computation.safeParse(parse(yaml)).error?.issues ?? []).toEqual([]);
});
