/**
 * The documents say what the code does. `UPDATE_DOCS=1 npx jest test/docs && npm run format` writes what is made from the
 * code anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Computation } from '../../workflows/contract';
import { manifestReference } from './manifest-reference';

const FILE = join(__dirname, '../../docs/computations.md');
const [BEGIN, END] = ['<!-- manifest: made from its schema -->', '<!-- end of manifest -->'];

/** A table means the same however its columns are aligned. */
const plain = (markdown: string) => markdown.trim().replace(/ +/g, ' ').replace(/-+/g, '-');

test('the reference of computation.yaml is that of its schema', () => {
  const text = readFileSync(FILE, 'utf8');
  const [before = '', rest = ''] = text.split(BEGIN);
  const [written = '', after = ''] = rest.split(END);
  const made = manifestReference();
  if (process.env.UPDATE_DOCS) writeFileSync(FILE, `${before}${BEGIN}\n\n${made}\n\n${END}${after}`);
  else expect(plain(written)).toBe(plain(made));
});

test.each(['computations.md', 'neuroflame.md'])('every manifest in %s is one', (name) => {
  const text = readFileSync(join(__dirname, '../../docs', name), 'utf8');
  const manifests = [...text.matchAll(/```yaml\n(name:[^]*?)```/g)].map(([, yaml = '']) => yaml);
  expect(manifests.length).toBeGreaterThan(0);
  for (const yaml of manifests) expect(Computation.safeParse(parse(yaml)).error?.issues ?? []).toEqual([]);
});
