/** The failures of a run as a person reads them. */
import { allErrors, describeErrors } from '../../cli/run-errors';
import { createMusterApi } from '../../client';
import type { ErrorEntry } from '../../workflows/api-contract';
import { ContractServer, json } from '../support/contract-server';

const entry = (more: Partial<ErrorEntry>): ErrorEntry => ({
  ...{ runId: 'run-1', node: 'biscoe', phase: 'fetchRunKit', type: 'DataMissing', message: 'no folder' },
  ...{ count: 1, firstAt: 0, lastAt: 0, retrying: false, turn: 'the host', advice: 'Map a folder.' },
  ...more,
});

test('a failure is told with where, what and what to do', () => {
  expect(describeErrors([entry({ message: 'it ended\nlast line\u001b[31m' })])).toEqual([
    '1970-01-01T00:00:00.000Z  biscoe  DataMissing in fetchRunKit',
    '  it ended',
    '  last line [31m',
    '  -> the host: Map a folder.',
  ]);
});

test('one that is tried again says how often it was seen', () => {
  expect(describeErrors([entry({ count: 3, lastAt: 60_000, retrying: true })])[0]).toBe(
    '1970-01-01T00:00:00.000Z  biscoe  DataMissing in fetchRunKit, 3 times until 1970-01-01T00:01:00.000Z, being tried again',
  );
});

test('a run without failures says so', () => {
  expect(describeErrors([])).toEqual(['No failures.']);
});

test('all pages are read', async () => {
  const pages = [
    { errors: [entry({ message: '1' })], next: 'a' },
    { errors: [entry({ message: '2' })], next: 'b' },
    { errors: [entry({ message: '3' })] },
  ];
  const server = new ContractServer();
  await server.start();
  server.answer = (...asked) => json(200, pages[server.seen.length - 1] ?? { errors: [] })(...asked);
  const found = await allErrors(createMusterApi({ url: server.url, token: 't' }), 'run-1', { node: 'dream' });
  await server.stop();
  expect(found.map(({ message }) => message)).toEqual(['1', '2', '3']);
  const path = '/api/runs/run-1/errors?node=dream';
  expect(server.seen.map((request) => request.path)).toEqual([path, `${path}&after=a`, `${path}&after=b`]);
});
