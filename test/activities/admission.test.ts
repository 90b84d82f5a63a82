/** A site that lets runs wait, or not in: what becomes of the steps of a run there. */
import { Approvals, type Asked } from '../../activities/edge/approvals';
import type { Kit } from '../../workflows/contract';
import { Stage, failureOf } from './stage';

let stage: Stage;
afterEach(() => stage.close());

const launching = () => ({
  ...stage.launch,
  consortium: stage.consortium,
  site: stage.member('a'),
  computation: stage.nodeComputation(),
});
const fetching = (kit: Kit) => ({ ...launching(), kit });
const people = () => new Approvals(stage.path('a'));
const answer = async (verdict: 'approved' | 'refused', asked?: Asked) => {
  const [first] = await people().list();
  await people().answer(asked ?? first!, {
    verdict,
    by: 'ada',
    at: 1,
    ...(verdict === 'refused' && { why: 'no' }),
  });
};
const kitsAskedFor = () => stage.api.seen.filter(({ path }) => path.endsWith('/kits/a'));

test('a run waits for a person before anything of it is fetched, and goes on once it is approved', async () => {
  stage = await Stage.open();
  const { kit } = await stage.publish(['a']);
  stage.policy = { ...stage.policy, approval: 'ask' };
  const waits = await failureOf(stage.site('a').do('fetchRunKit', fetching(kit('a'))));
  expect(waits).toMatchObject({
    type: 'ApprovalNeeded',
    nonRetryable: false,
    message: 'site.yaml: approval: a person at the site has to approve this run',
  });
  expect(kitsAskedFor()).toEqual([]);
  await expect(people().list()).resolves.toMatchObject([
    {
      request: {
        ...{ runId: stage.runId, site: 'a', consortium: stage.consortium, dataset: 'data' },
        computation: { name: 'example', version: '1.0.0', command: ['sh', 'edge.sh'] },
      },
      grant: { folder: stage.path('data'), logs: 'on-error' },
    },
  ]);

  await answer('approved');
  // Each time by a worker that was just started.
  await stage.site('a').do('fetchRunKit', fetching(kit('a')));
  await stage.site('a').do('launchEdgeNode', launching());
  await stage
    .site('a')
    .do('superviseNode', { ...stage.launch, node: 'a', computation: stage.nodeComputation() });
  await expect(stage.result('a')).resolves.toContain('the kit of a');

  // Another launch of the run is not asked about.
  const other = { ...fetching(kit('a')), launchId: 'fedcba987654' };
  const failed = await failureOf(stage.site('a').do('fetchRunKit', other));
  expect(failed.type).not.toBe('ApprovalNeeded');
  await expect(people().list()).resolves.toHaveLength(1);
});

test('a person who refuses a run ends it here, and is named with the reason', async () => {
  stage = await Stage.open();
  const { kit } = await stage.publish(['a']);
  stage.policy = { ...stage.policy, approval: 'ask' };
  await failureOf(stage.site('a').do('fetchRunKit', fetching(kit('a'))));
  await answer('refused');
  await expect(failureOf(stage.site('a').do('fetchRunKit', fetching(kit('a'))))).resolves.toEqual({
    type: 'RunRefused',
    nonRetryable: true,
    message: 'site.yaml: approval: ada refused this run: no',
  });
});

test('what was approved on the page counts while site.yaml lets it, and is asked about here when it does not', async () => {
  stage = await Stage.open();
  const { kit } = await stage.publish(['a']);
  const wants = fetching(kit('a'));
  stage.policy = { ...stage.policy, approval: 'page' };
  await expect(failureOf(stage.site('a').do('fetchRunKit', wants))).resolves.toMatchObject({
    message: 'site.yaml: approval: a person who administers the site has to approve this run',
  });
  const [asked] = await people().list();
  await people().answerFirst(asked!, { verdict: 'approved', by: 'grace', via: 'page', at: 1 });
  await stage.site('a').do('fetchRunKit', wants);

  stage.policy = { ...stage.policy, approval: 'ask' };
  const waits = await failureOf(stage.site('a').do('fetchRunKit', wants));
  expect(waits.type).toBe('ApprovalNeeded');
  const [again] = await people().list();
  expect(again).not.toHaveProperty('answer');
});

test('what was approved and signed is what starts: another command, consortium or dataset is refused', async () => {
  stage = await Stage.open();
  const { kit } = await stage.publish(['a']);
  stage.policy = { ...stage.policy, approval: 'ask' };
  await failureOf(stage.site('a').do('fetchRunKit', fetching(kit('a'))));
  await answer('approved');
  await stage.site('a').do('fetchRunKit', fetching(kit('a')));
  const computation = stage.nodeComputation({
    commands: { provision: ['sh'], central: ['sh'], edge: ['sh', '-c', 'cat "$DATA_DIR"/*'] },
  });
  for (const [change, problem] of [
    [{ computation }, 'the task differs from the computation example 1.0.0 that was agreed on'],
    [{ consortium: { id: 'ross', name: 'Palmer' } }, 'it is of the consortium palmer, and the task of ross'],
    [{ site: { ...stage.member('a'), dataset: 'all' } }, 'it is on the dataset data, and the task on all'],
  ] as const) {
    const refused = await failureOf(stage.site('a').do('launchEdgeNode', { ...launching(), ...change }));
    expect(refused).toMatchObject({ type: 'ManifestRefused', nonRetryable: true });
    expect(refused.message).toContain(problem);
  }
  await expect(people().list()).resolves.toHaveLength(1);
  expect((await stage.starts()).filter((node) => node === 'a')).toEqual([]);
});

test('a consortium that is not allowed is refused by name of the rule, and may be allowed after', async () => {
  stage = await Stage.open();
  const { kit } = await stage.publish(['a']);
  stage.policy = { ...stage.policy, consortia: ['ross'] };
  await expect(failureOf(stage.site('a').do('fetchRunKit', fetching(kit('a'))))).resolves.toEqual({
    type: 'ComputationNotAllowed',
    nonRetryable: false,
    message: 'site.yaml: consortia: consortium palmer is not allowed here; allowed: ross',
  });
  stage.policy = { ...stage.policy, consortia: ['ross', 'palmer'] };
  await stage.site('a').do('fetchRunKit', fetching(kit('a')));
});

test('nothing starts in maintenance, also where the kit is here; what has started is left alone', async () => {
  stage = await Stage.open();
  const { kit } = await stage.publish(['a']);
  await stage.site('a').do('fetchRunKit', fetching(kit('a')));
  const open = stage.policy;
  stage.policy = { ...open, maintenance: { reason: 'new disks' } };
  const closed = await failureOf(stage.site('a').do('launchEdgeNode', launching()));
  expect(closed).toMatchObject({ type: 'SiteClosed', nonRetryable: false });
  expect(closed.message).toContain('new disks');
  stage.policy = open;
  const up = await stage.site('a').do('launchEdgeNode', launching());
  stage.policy = { ...open, maintenance: { reason: 'new disks' } };
  await expect(stage.site('a').do('launchEdgeNode', launching())).resolves.toEqual(up);
});

test('a wait is told when it begins and when it changes, not at every look', async () => {
  stage = await Stage.open();
  const { kit } = await stage.publish(['a']);
  const site = stage.site('a');
  const look = (attempt: number) =>
    failureOf(site.do('fetchRunKit', fetching(kit('a')), { attempt, retryPolicy: { maximumAttempts: 3 } }));
  const told = () => stage.reported().map(({ body }) => [body.error.message.slice(-9), body.retrying]);
  stage.policy = { ...stage.policy, maintenance: { reason: 'new disks' } };
  for (const attempt of [1, 2, 3]) await look(attempt);
  // The last attempt is not the end: its run takes the step anew.
  expect(told()).toEqual([['new disks', true]]);
  stage.policy = { ...stage.policy, maintenance: { reason: 'old disks' } };
  for (const attempt of [2, 3]) await look(attempt);
  expect(told()).toEqual([
    ['new disks', true],
    ['old disks', true],
  ]);
});
