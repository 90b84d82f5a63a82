/** The error log of a run: every failure once, in order, and as many at a time as were asked for. */
import { ErrorPage } from '../../workflows/api-contract';
import { describeOnEachDatabase } from './databases';
import { start } from './scenes';
import { lead, problemOf, site, useServer } from './server';

/** Programs write what they like before they end. */
const THIRD = 'third \u0000';

describeOnEachDatabase('the error log of a run', (kind) => {
  const server = useServer(kind);
  let runId: string;

  const fail = async (node: string, type: string, message: string, at: number, retrying = false) => {
    const error = { node, phase: 'fetchRunKit', type, message };
    const answer = await server.call(`POST /api/runs/${runId}/errors/edge`, {
      as: site(node),
      body: { launchId: 'launch000001', error, retrying, at },
    });
    expect(answer.statusCode).toBe(204);
  };
  const list = async (query = '') =>
    ErrorPage.parse((await server.call(`GET /api/runs/${runId}/errors${query}`)).json());
  const messages = ({ errors }: ErrorPage) => errors.map(({ message }) => message);

  beforeAll(async () => {
    runId = await start(server);
    await fail('beta', 'DataMissing', 'second', 20, true);
    await fail('alpha', 'DataMissing', 'first', 10);
    await fail('alpha', 'KitBroken', THIRD, 30);
    await fail('beta', 'DataMissing', 'second', 40, true);
  });

  it('has every failure once, the earliest first, with what to do', async () => {
    const page = await list();
    expect(page.next).toBeUndefined();
    expect(messages(page)).toEqual(['first', 'second', THIRD]);
    expect(page.errors[1]).toMatchObject({ count: 2, firstAt: 20, lastAt: 40, retrying: true });
    expect(page.errors[1]?.advice).toContain('site.yaml');
  });

  it('comes a page at a time', async () => {
    const first = await list('?limit=2');
    expect(messages(first)).toEqual(['first', 'second']);
    const second = await list(`?limit=2&after=${first.next}`);
    expect(messages(second)).toEqual([THIRD]);
    expect(second.next).toBeUndefined();
  });

  it.each([
    ['of a node', '?node=alpha', ['first', THIRD]],
    ['of a type', '?type=DataMissing', ['first', 'second']],
    ['that are being tried again', '?retrying=true', ['second']],
    ['that are not', '?retrying=false', ['first', THIRD]],
  ])('gives those %s', async (_which, query, expected) => {
    expect(messages(await list(query))).toEqual(expected);
  });

  it('says what is wrong with a question', async () => {
    for (const [query, pointer] of [
      ['?limit=501', '/limit'],
      ['?after=x', '/after'],
      ['?retrying=maybe', '/retrying'],
    ]) {
      expect(problemOf(await server.call(`GET /api/runs/${runId}/errors${query}`)).errors).toMatchObject([
        { pointer },
      ]);
    }
  });

  it('is for those who may see the run', async () => {
    const as = lead('another');
    expect(problemOf(await server.call(`GET /api/runs/${runId}/errors`, { as })).status).toBe(403);
    expect(problemOf(await server.call('GET /api/runs/nobodys/errors')).status).toBe(404);
  });
});
