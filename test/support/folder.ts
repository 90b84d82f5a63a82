/** A folder of a test file's own, removed when the file ends. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes it at once; to be called at the top of a test file. */
export function useFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'muster-test-')));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
