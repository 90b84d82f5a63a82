/** What people say on the page, as the edge worker takes it: to what was asked here alone, and only where site.yaml says so. */
import { pino } from 'pino';
import { Approvals, idOf, type Grant } from '../../activities/edge/approvals';
import type { RunRequest, SiteRules } from '../../activities/edge/site-rules';
import { Readiness } from '../../workers/readiness';
import { timeLimit } from '../../time/limit';
import type { AskAnswer, ReadinessBody, SiteAnswers, SiteNews } from '../../workflows/consortium-contract';
import { useFolder } from '../support/folder';

const folder = useFolder();
const grant: Grant = {
  resources: { cpus: 1, memory: '1Gi', pids: 10, shm: '1Mi', gpus: 0 },
  ...{ logs: 'none', results: 'hidden' },
};
const request = (runId: string): RunRequest => ({
  ...{ runId, site: 'a', dataset: 'penguins' },
  computation: { name: 'penguins', version: '1', command: ['edge'] },
});
const rules = (approval: SiteRules['approval']): SiteRules => ({
  ...{ file: 'site.yaml', site: 'a', approval, computations: [], resources: {}, quietHours: [] },
  ...{ logs: 'none', results: 'hidden', datasets: {} },
});
const APPROVED: AskAnswer = { verdict: 'approved', by: 'Grace', at: 7 };

/** An edge worker that looks once, and the centre that it speaks to. */
async function look(
  approval: SiteRules['approval'],
  news: Partial<SiteNews>,
  given: SiteAnswers['answers'],
): Promise<{ asked: number; told: ReadinessBody[] }> {
  let asked = 0;
  const told: ReadinessBody[] = [];
  const readiness = new Readiness({
    api: {
      getMemberships: () => Promise.resolve({ memberships: [] }),
      getAnswers: () => Promise.resolve({ answers: given }).finally(() => (asked += 1)),
      reportReadiness: (body) => Promise.resolve(void told.push(body)),
    },
    rules: () => Promise.resolve(rules(approval)),
    approvals: new Approvals(folder),
    version: '1',
    log: pino({ level: 'silent' }),
  });
  await readiness.look({ memberships: 'm', heard: true, ...news }, timeLimit(10_000));
  return { asked, told };
}
const answerTo = (runId: string) => new Approvals(folder).answerTo(request(runId));
const ask = (runId: string) => new Approvals(folder).ask(request(runId), grant);
const to = (runId: string, said = APPROVED) => ({ askId: idOf(request(runId)), ...said });

it('takes what was said of a run that asks here, and asks no more', async () => {
  await ask('run-1');
  const before = await look('page', { answers: 0 }, []);
  expect(before).toMatchObject({
    asked: 0,
    told: [{ policy: { approval: 'page' }, asks: [{ runId: 'run-1' }] }],
  });
  const { told } = await look('page', { answers: 1 }, [to('run-1')]);
  expect(told).toMatchObject([{ asks: [] }]);
  await expect(answerTo('run-1')).resolves.toEqual({ ...APPROVED, via: 'page' });
});

it.each(['ask', 'auto'] as const)(
  'takes nothing where site.yaml says `%s`, and does not ask for it',
  async (approval) => {
    await ask(`run-${approval}`);
    const { asked, told } = await look(approval, { answers: 1 }, [to(`run-${approval}`)]);
    expect([asked, told[0]?.policy.approval]).toEqual([0, approval]);
    await expect(answerTo(`run-${approval}`)).resolves.toBeUndefined();
  },
);

it('takes nothing of what was not asked here', async () => {
  await look('page', { answers: 1 }, [to('run-2')]);
  await expect(answerTo('run-2')).resolves.toBeUndefined();
  // Nor is it kept until it is.
  await ask('run-2');
  await expect(answerTo('run-2')).resolves.toBeUndefined();
});

it('leaves what a person at the site has said', async () => {
  await ask('run-3');
  const refused = { verdict: 'refused', by: 'ada', at: 3, why: 'no' } as const;
  await new Approvals(folder).answer({ request: request('run-3'), id: idOf(request('run-3')) }, refused);
  await look('page', { answers: 1 }, [to('run-3')]);
  await expect(answerTo('run-3')).resolves.toEqual(refused);
});

it('is a site that asks, to an API that takes no answers', async () => {
  const { asked, told } = await look('page', {}, []);
  expect(asked).toBe(0);
  expect(told[0]?.policy).toMatchObject({ approval: 'ask' });
  expect(told[0]?.policy.says).toContain('a person approves every run');
});
