/** What waits for a person at a site, and what they said of it. */
import { chmod, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Approvals, idOf, type Grant } from '../../activities/edge/approvals';
import type { RunRequest } from '../../activities/edge/site-rules';
import { useFolder } from '../support/folder';

const folder = useFolder();
const files = join(folder, 'approvals');
const request: RunRequest = {
  runId: 'run-1',
  site: 'a',
  consortium: { id: 'palmer', name: 'Palmer' },
  computation: { name: 'penguins', version: '1', image: 'i@sha256:1', command: ['edge'] },
  dataset: 'penguins',
};
const grant: Grant = {
  resources: { cpus: 1, memory: '1Gi', pids: 10, shm: '1Mi', gpus: 0 },
  logs: 'none',
  results: 'hidden',
};
const approved = { verdict: 'approved', by: 'ada', at: 1 } as const;
/** As a worker, or a person's command, has them that was just started. */
const anew = () => new Approvals(folder);

test('nothing waits where nothing was asked', async () => {
  await expect(anew().list()).resolves.toEqual([]);
  await expect(anew().answerTo(request)).resolves.toBeUndefined();
});

test('what was asked is listed once, however often it is asked, and an answer is found by whoever is started later', async () => {
  await anew().ask(request, grant);
  const [first] = await anew().list();
  await utimes(join(files, (await readdir(files))[0]!), 1, 1);
  await anew().ask(request, grant);
  const listed = await anew().list();
  expect(listed).toEqual([
    { request, grant, since: first!.since, id: idOf(request), lastAsked: expect.any(Number) as number },
  ]);
  expect(listed[0]!.lastAsked).toBeGreaterThan(1000);

  await anew().answer(listed[0]!, approved);
  await expect(anew().answerTo(request)).resolves.toEqual(approved);
  await expect(anew().list()).resolves.toMatchObject([{ answer: approved }]);
  const modes = await Promise.all(
    (await readdir(files)).map(async (name) => (await stat(join(files, name))).mode & 0o777),
  );
  expect(modes).toEqual([0o600, 0o600]);
});

test.each<[string, RunRequest]>([
  ['another run', { ...request, runId: 'run-2' }],
  ['another image', { ...request, computation: { ...request.computation, image: 'i@sha256:2' } }],
  ['another version', { ...request, computation: { ...request.computation, version: '2' } }],
  ['another command', { ...request, computation: { ...request.computation, command: ['edge', '--all'] } }],
  ['a command cut otherwise', { ...request, computation: { ...request.computation, command: ['ed', 'ge'] } }],
  ['another consortium', { ...request, consortium: { id: 'ross', name: 'Palmer' } }],
  ['other data', { ...request, dataset: 'patients' }],
])('an answer is not one to %s', async (_, other) => {
  await anew().ask(request, grant);
  await anew().answer({ request, id: idOf(request) }, approved);
  await expect(anew().answerTo(other)).resolves.toBeUndefined();
});

test('an answer from the page is one where there is none yet, and is known as one', async () => {
  const fromPage = { ...approved, by: 'grace', via: 'page' } as const;
  const other = { ...request, runId: 'run-page' };
  const found = async () => (await anew().list()).find((one) => one.request.runId === other.runId);
  await anew().ask(other, grant);
  const asked = await found();
  await anew().answerFirst(asked!, fromPage);
  await expect(anew().answerTo(other)).resolves.toEqual(fromPage);

  await anew().answer(asked!, { ...approved, verdict: 'refused' });
  await anew().answerFirst(asked!, fromPage);
  await expect(anew().answerTo(other)).resolves.toMatchObject({ verdict: 'refused', by: 'ada' });

  await anew().forgetAnswer(other);
  await expect(found()).resolves.toEqual(asked);
  expect((await readdir(files)).filter((name) => name.startsWith('run-page'))).toHaveLength(1);
});

test('what was written by something else is neither a question nor an answer', async () => {
  await anew().ask(request, grant);
  const id = idOf(request);
  const forged = { request: { ...request, dataset: 'patients' }, since: 1, grant };
  await writeFile(join(files, `run-1.${'0'.repeat(64)}.asked.json`), JSON.stringify(forged));
  await writeFile(join(files, 'run-3.note.txt'), 'x');
  await writeFile(join(files, `run-1.${id}.answer.json`), '{"verdict":"approved"');
  await expect(anew().answerTo(request)).resolves.toBeUndefined();
  expect((await anew().list()).map(({ id }) => id)).toContain(id);
  expect((await anew().list()).map(({ request }) => request.dataset)).not.toContain('patients');
});

test('what nobody asked for in a month is forgotten, with its answer', async () => {
  const old = { ...request, runId: 'run-old' };
  await anew().ask(old, grant);
  await anew().answer({ request: old, id: idOf(old) }, approved);
  const past = new Date(Date.now() - 31 * 86_400_000);
  await utimes(join(files, `run-old.${idOf(old)}.asked.json`), past, past);
  await anew().ask({ ...request, runId: 'run-new' }, grant);
  expect((await readdir(files)).filter((name) => name.startsWith('run-old'))).toEqual([]);
});

test('a folder that may not be read is not taken for one in which nothing waits', async () => {
  if (process.getuid?.() === 0) return;
  await anew().ask(request, grant);
  await chmod(files, 0o000);
  await expect(anew().list()).rejects.toThrow('EACCES');
  await chmod(files, 0o700);
});
