import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { findMarker, markerInFolder, markerInLog } from '../../nodes/markers';

const reported = {
  schema_version: 1,
  origin: 'site',
  stage: 'validation',
  scope: 'data',
  error_type: 'ValueError',
  message: 'column "age" is not numeric',
  traceback: 'File "x.py", line 3: patient 17',
};
const marker = {
  origin: 'site',
  stage: 'validation',
  scope: 'data',
  errorType: 'ValueError',
  message: 'column "age" is not numeric',
};

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-markers-'));
  file = join(folder, '.neuroflame_error.json');
});
afterEach(() => rm(folder, { recursive: true }));

test('the marker file is read, but for its traceback', async () => {
  await writeFile(file, JSON.stringify(reported));
  expect(await markerInFolder(folder)).toEqual(marker);
});

test('a marker line is found in a log, whatever stands before it on its line', () => {
  const line = `2024-01-01 INFO NEUROFLAME_SHARED_ERROR:${JSON.stringify(reported)}`;
  expect(markerInLog(`starting\n${line}\nbye\n`)).toEqual(marker);
});

test('of several marker lines the last readable one counts', () => {
  const line = (message: string) => `NEUROFLAME_SHARED_ERROR:${JSON.stringify({ message })}`;
  const log = [line('first'), line('second'), 'NEUROFLAME_SHARED_ERROR:{half a li'].join('\n');
  expect(markerInLog(log)?.message).toBe('second');
});

test('the file counts before the log', async () => {
  const log = `NEUROFLAME_SHARED_ERROR:${JSON.stringify({ message: 'from the log' })}`;
  expect((await findMarker(folder, log))?.message).toBe('from the log');
  await writeFile(file, JSON.stringify(reported));
  expect((await findMarker(folder, log))?.message).toBe(reported.message);
});

test('fields of the wrong type are left out, and long ones are cut', async () => {
  await writeFile(file, JSON.stringify({ origin: 'moon', stage: 7, message: 'm'.repeat(9000) }));
  expect(await markerInFolder(folder)).toEqual({ message: 'm'.repeat(3000) });
});

test('a file that is not a marker counts as none', async () => {
  for (const content of ['', '{', 'null', '[]', '{"message":1}', '{"stage":"x"}', 'x'.repeat(200_000)]) {
    await writeFile(file, content);
    expect(await markerInFolder(folder)).toBeUndefined();
  }
});

test('a link or a pipe in place of the marker file counts as none', async () => {
  await writeFile(join(folder, 'elsewhere.json'), JSON.stringify(reported));
  await symlink(join(folder, 'elsewhere.json'), file);
  expect(await markerInFolder(folder)).toBeUndefined();
  await rm(file);
  execFileSync('mkfifo', [file]);
  expect(await markerInFolder(folder)).toBeUndefined();
});

test('no text makes the reader of logs throw', () => {
  const piece = fc.oneof(fc.string(), fc.json(), fc.constant('NEUROFLAME_SHARED_ERROR:'), fc.constant('\n'));
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const found = markerInLog(pieces.join(''));
      expect(found === undefined || typeof found.message === 'string').toBe(true);
    }),
  );
});
