/** What a worker writes into its log, and what it never does. */
import { createLog } from '../../workers/run-workers';

const lines: string[] = [];
const log = createLog('edge-worker', 'info', { write: (line) => void lines.push(line) });
beforeEach(() => lines.splice(0));

test('what is named like a secret is left out, also one step down', () => {
  const access = { url: 'http://store/kit?Signature=s', reportToken: 's', reportPath: '/report' };
  log.info({ access, token: 's', store: { secretKey: 's' }, ...access }, 'kit fetched');
  expect(JSON.parse(lines.join())).toMatchObject({
    part: 'edge-worker',
    access: { reportPath: '/report' },
    store: {},
    msg: 'kit fetched',
  });
  expect(lines.join()).not.toMatch(/Signature|"s"/);
});

test.each(['err', 'error'])('a failure is told with its words and its stack, as %s', (name) => {
  log.error({ [name]: new TypeError('x is undefined') }, 'failed');
  const stack = expect.stringContaining('log.test.ts') as string;
  expect(JSON.parse(lines.join())).toMatchObject({
    [name]: { type: 'TypeError', message: 'x is undefined', stack },
  });
});

test('what is below the level is not written', () => {
  log.debug('polling');
  expect(lines).toEqual([]);
});
