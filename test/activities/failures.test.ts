/** Failures at a site as the people of the consortium get to see them: what it was, where, and whether it is tried again. */
import { rm, writeFile } from 'node:fs/promises';
import type { RunInputDraft } from '../../workflows/contract';
import { problem } from '../support/contract-server';
import { Stage, failureOf } from './stage';

let stage: Stage;
afterEach(() => stage.close());

const launching = (more: Partial<RunInputDraft['computation']> = {}) => ({
  ...stage.launch,
  site: stage.member('a'),
  computation: stage.nodeComputation(more),
});

/** What the supervision of a site's node ends with. */
async function endOf(edge: string, more: Partial<RunInputDraft['computation']> = {}) {
  stage = await Stage.open({ edge });
  const { kit } = await stage.publish(['a'], more);
  const site = stage.site('a');
  await site.do('fetchRunKit', { ...launching(more), kit: kit('a') });
  await site.do('launchEdgeNode', launching(more));
  const computation = stage.nodeComputation(more);
  return failureOf(site.do('superviseNode', { ...stage.launch, node: 'a', computation }));
}

describe('a node', () => {
  test('that exits with another code than 0 is quoted with its last log lines', async () => {
    const failed = await endOf('echo reading; echo bad column >&2; exit 1');
    expect(failed).toMatchObject({ type: 'NodeExited', nonRetryable: true });
    expect(failed.message).toMatch(/^The node exited with code 1\.\n.*\nreading\nbad column$/);
    expect(stage.reported()).toMatchObject([
      {
        path: `/api/runs/${stage.runId}/errors/edge`,
        body: {
          launchId: stage.launchId,
          error: { node: 'a', phase: 'superviseNode', type: 'NodeExited', message: failed.message },
          retrying: false,
        },
      },
    ]);
  });

  test('of a site that lets no log out is not quoted', async () => {
    stage = await Stage.open({ edge: 'echo the name of a patient; exit 1' });
    stage.policy = { ...stage.policy, logs: 'none' };
    const { kit } = await stage.publish(['a']);
    await stage.site('a').do('fetchRunKit', { ...launching(), kit: kit('a') });
    await stage.site('a').do('launchEdgeNode', launching());
    const computation = stage.nodeComputation();
    const watching = stage.site('a').do('superviseNode', { ...stage.launch, node: 'a', computation });
    await expect(failureOf(watching)).resolves.toMatchObject({ message: 'The node exited with code 1.' });
    expect(JSON.stringify(stage.api.seen) + stage.log.join()).not.toContain('patient');
  });

  test('that exits with 0 but leaves no declared output has not succeeded', async () => {
    const failed = await endOf('touch "$OUTPUT_DIR/other.txt"', { outputs: { edge: ['result.csv'] } });
    expect(failed).toMatchObject({ type: 'OutputsMissing', nonRetryable: true });
    expect(failed.message).toContain('"result.csv"');
  });

  test("that writes the community's error marker is quoted by it", async () => {
    const marker = '{"schema_version":1,"origin":"site","stage":"training","message":"no rows"}';
    const failed = await endOf(`echo '${marker}' > "$OUTPUT_DIR/.neuroflame_error.json"`);
    expect(failed).toMatchObject({ type: 'NodeError', nonRetryable: true });
    expect(failed.message).toContain('no rows');
  });

  test('of which this host knows nothing is lost', async () => {
    stage = await Stage.open();
    const computation = stage.nodeComputation();
    const watching = stage.site('a').do('superviseNode', { ...stage.launch, node: 'a', computation });
    await expect(failureOf(watching)).resolves.toMatchObject({ type: 'NodeLost', nonRetryable: true });
  });
});

describe("a site's data", () => {
  test.each<[string, () => Promise<unknown>, string]>([
    [
      'is mapped to no folder',
      () => Promise.resolve((stage.policy = { ...stage.policy, datasets: { other: stage.path('data') } })),
      'maps no folder to dataset "data"',
    ],
    [
      'is mapped by an inherited name only',
      () =>
        Promise.resolve(
          (stage.policy = {
            ...stage.policy,
            datasets: Object.create({ data: '/' }) as object as Record<string, string>,
          }),
        ),
      'maps no folder to dataset "data"',
    ],
    ['is not there', () => rm(stage.path('data'), { recursive: true }), 'does not exist'],
    [
      'is a file',
      async () => {
        await rm(stage.path('data'), { recursive: true });
        await writeFile(stage.path('data'), '');
      },
      'is not a folder',
    ],
  ])('that %s can be mended; its path stays at the site', async (_, spoil, words) => {
    stage = await Stage.open();
    const { kit } = await stage.publish(['a']);
    await spoil();
    const failed = await failureOf(stage.site('a').do('fetchRunKit', { ...launching(), kit: kit('a') }));
    expect(failed).toMatchObject({ type: 'DataMissing', nonRetryable: false });
    expect(failed.message).toContain(words);
    expect(failed.message).not.toContain(stage.path(''));
    expect(stage.reported()).toMatchObject([{ body: { error: { type: 'DataMissing' }, retrying: true } }]);
    // Known before anything was downloaded.
    await expect(stage.kept('a')).resolves.toEqual([]);
  });

  test('that vanished after the kit was fetched is missing, too', async () => {
    stage = await Stage.open();
    const { kit } = await stage.publish(['a']);
    await stage.site('a').do('fetchRunKit', { ...launching(), kit: kit('a') });
    await rm(stage.path('data'), { recursive: true });
    const failed = await failureOf(stage.site('a').do('launchEdgeNode', launching()));
    expect(failed).toMatchObject({ type: 'DataMissing', nonRetryable: false });
  });
});

describe('a kit', () => {
  test('for a computation that the site does not allow is not even fetched', async () => {
    stage = await Stage.open();
    const { kit } = await stage.publish(['a']);
    stage.policy = { ...stage.policy, computations: [] };
    const failed = await failureOf(stage.site('a').do('fetchRunKit', { ...launching(), kit: kit('a') }));
    expect(failed).toMatchObject({ type: 'ComputationNotAllowed', nonRetryable: false });
    expect(stage.api.seen.filter(({ path }) => path.endsWith('/kits/a'))).toEqual([]);
  });

  test('that is not what was published is refused', async () => {
    stage = await Stage.open();
    const { kit } = await stage.publish(['a']);
    await stage.store.removePrefix(`runs/${stage.runId}`);
    await stage.store.putOnce(kit('a').key, Buffer.alloc(kit('a').size));
    const failed = await failureOf(stage.site('a').do('fetchRunKit', { ...launching(), kit: kit('a') }));
    expect(failed).toMatchObject({ type: 'KitBroken', nonRetryable: true });
    expect((await stage.kept('a')).filter((name) => name.includes('kit'))).toEqual([]);
  });

  test.each<[string, () => Promise<void> | void]>([
    ['does not answer', () => stage.api.stop()],
    ['is being restarted', () => void (stage.api.answer = problem(503, 'Not ready'))],
    ['is asked too often', () => void (stage.api.answer = problem(429, 'Too many requests'))],
  ])('cannot be had now where the central API %s', async (_, spoil) => {
    stage = await Stage.open();
    const { kit } = await stage.publish(['a']);
    await spoil();
    const fetching = { ...launching(), kit: kit('a') };
    const failed = await failureOf(stage.site('a').do('fetchRunKit', fetching));
    expect(failed).toMatchObject({ type: 'KitUnavailable', nonRetryable: false });

    stage.api.answer = stage.answer;
    await stage.api.stop();
    await stage.api.start();
    await stage.site('a').do('fetchRunKit', fetching);
  });

  test('that the central API refuses is not asked for again', async () => {
    stage = await Stage.open();
    const { kit } = await stage.publish(['a']);
    stage.api.answer = problem(403, 'Forbidden', { detail: 'Site b may not do this for a.' });
    const failed = await failureOf(stage.site('a').do('fetchRunKit', { ...launching(), kit: kit('a') }));
    expect(failed).toMatchObject({ type: 'Internal', nonRetryable: true });
    expect(failed.message).toContain('Site b may not do this for a.');
  });
});
