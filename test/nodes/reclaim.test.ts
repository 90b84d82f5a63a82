/** What a node left is the worker's again, whatever permissions the node took away. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { findOutputs } from '../../nodes';
import { removeOwn } from '../../nodes/reclaim';
import { useFolder } from '../support/folder';

const root = useFolder();
const NOBODY = 65534;

/** Root may do anything, so that these tests are run as somebody else. */
const wasRoot = process.geteuid?.() === 0;
beforeAll(() => {
  if (!wasRoot) return;
  chownSync(root, NOBODY, NOBODY);
  chmodSync(root, 0o755);
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
});
afterAll(() => {
  if (!wasRoot) return;
  process.seteuid?.(0);
  process.setegid?.(0);
});

function leave(name: string): string {
  const folder = join(root, name);
  mkdirSync(join(folder, 'deep/er'), { recursive: true });
  writeFileSync(join(folder, 'deep/er/result.json'), '{}');
  symlinkSync('/etc', join(folder, 'deep/link'));
  chmodSync(join(folder, 'deep/er/result.json'), 0);
  chmodSync(join(folder, 'deep/er'), 0o555);
  chmodSync(join(folder, 'deep'), 0);
  return folder;
}

test('a result that nobody may read is found, and can be read', async () => {
  const folder = leave('output');
  const { files, missing } = await findOutputs(folder, ['deep/er/result.json']);
  expect([files, missing]).toEqual([[{ name: 'deep/er/result.json', size: 2 }], []]);
  expect(readFileSync(join(folder, 'deep/er/result.json'), 'utf8')).toBe('{}');
});

test('a folder that nobody may change is removed, and what it links to is not', async () => {
  const folder = leave('kit');
  await removeOwn(folder);
  expect(existsSync(folder)).toBe(false);
  expect(existsSync('/etc/passwd')).toBe(true);
});

test('what is not there is removed already', async () => {
  await removeOwn(join(root, 'nothing'));
});
