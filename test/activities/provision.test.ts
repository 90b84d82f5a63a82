/** Making the kits: how it fails, and that nothing of it stays, least of all the secrets that it leaves in its folder. */
import { access, writeFile } from 'node:fs/promises';
import type { Computation } from '../../workflows/contract';
import { PROVISION, Stage, failureOf } from './stage';
import { until } from '../support/until';
import type { Attempt } from './worker';

let stage: Stage;
afterEach(() => stage.close());

const there = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Nothing of the launch is on the host: no folder, no process, no port. */
async function expectNothingLeft(): Promise<void> {
  await expect(stage.kept('central')).resolves.toEqual([]);
  await expect(stage.centralHost().runtimes.process.list()).resolves.toEqual([]);
  await expect(stage.centralHost().ports.list()).resolves.toEqual([]);
}

const provisionFolder = () => stage.centralHost().folders.provision(stage.launch);

describe('kits are made', () => {
  test('and the folder with the root secrets is gone', async () => {
    stage = await Stage.open();
    await stage.central().do('provisionProject', stage.provisionInput(['a']));
    const kept = await stage.kept('central');
    expect(kept).toContain(`launches/${stage.runId}.${stage.launchId}/outgoing/a/name`);
    expect(kept.filter((name) => /ca\.key|\/provision\/|^nodes/.test(name))).toEqual([]);
  });

  test('once, also by two attempts at the same time, of which the server has given up one', async () => {
    stage = await Stage.open();
    const worker = stage.central();
    const attempt = () => worker.do('provisionProject', stage.provisionInput(['a']));
    const [first, second] = await Promise.all([attempt(), attempt()]);
    expect(second).toEqual(first);
    await expect(stage.kept('central')).resolves.toContain(
      `launches/${stage.runId}.${stage.launchId}/outgoing/a/name`,
    );
  });
});

describe('no kits are made, and it is said why', () => {
  test.each<[string, string, Computation['deadlines']['provision'], { type: string; message: RegExp }]>([
    [
      'the command fails: its last log lines are in the error',
      'touch "$PROVISION_DIR/ca.key"; echo one; echo no such model >&2; exit 3',
      '5m',
      { type: 'ProvisionFailed', message: /^provisioning exited with 3\.\n.*\none\nno such model$/ },
    ],
    [
      'the command makes no kit for a site',
      'cd "$PROVISION_DIR"; touch ca.key; mkdir -p runKits/centralNode; echo x > runKits/centralNode/k; echo skipped a',
      '5m',
      { type: 'ProvisionFailed', message: /^provisioning made no kit for a\.\n.*\nskipped a$/ },
    ],
    [
      'the command makes an empty kit',
      `${PROVISION}rm -rf runKits/centralNode/*`,
      '5m',
      { type: 'ProvisionFailed', message: /^provisioning made no kit for centralNode\.$/ },
    ],
    [
      "a kit is a link, which could lead to the host's own files",
      `${PROVISION}mv runKits/a a; ln -s "$PWD/a" runKits/a`,
      '5m',
      { type: 'ProvisionFailed', message: /^provisioning made no kit for a\.$/ },
    ],
    [
      'all kits are behind a link',
      `${PROVISION}mv runKits kits; ln -s "$PWD/kits" runKits`,
      '5m',
      { type: 'ProvisionFailed', message: /^provisioning made no kit for centralNode\.$/ },
    ],
    [
      'the command does not end in time',
      'touch "$PROVISION_DIR/ca.key"; echo still at it; sleep 1000',
      '1s',
      { type: 'DeadlineExceeded', message: /^provisioning did not end within 1s\.\n.*\nstill at it$/ },
    ],
  ])('%s', async (_, provision, deadline, expected) => {
    stage = await Stage.open({ provision });
    const input = stage.provisionInput(['a'], { deadlines: { provision: deadline } });
    const failed = await failureOf(stage.central().do('provisionProject', input));
    expect(failed).toEqual({
      type: expected.type,
      message: expect.stringMatching(expected.message) as string,
      nonRetryable: true,
    });
    await expectNothingLeft();
  });

  test('the computation is not allowed on this host', async () => {
    stage = await Stage.open();
    stage.policy = { ...stage.policy, computations: [] };
    const failed = await failureOf(stage.central().do('provisionProject', stage.provisionInput(['a'])));
    expect(failed).toMatchObject({ type: 'ComputationNotAllowed', nonRetryable: false });
    expect(failed.message).toContain('"example"');
    await expectNothingLeft();
  });

  test('what can be mended keeps its ports and its place for the next attempt, but not beyond the last', async () => {
    stage = await Stage.open();
    const away = stage.policy;
    const [entry] = away.computations;
    stage.policy = { ...away, computations: [{ ...entry!, folder: stage.path('nowhere') }] };
    const input = stage.provisionInput(['a']);
    const retryPolicy = { maximumAttempts: 2 };
    const failed = await failureOf(
      stage.central().do('provisionProject', input, { attempt: 1, retryPolicy }),
    );
    expect(failed).toMatchObject({ type: 'ImageMissing', nonRetryable: false });
    const [held] = await stage.centralHost().ports.list();
    expect(held).toMatchObject(stage.launch);
    await failureOf(stage.central().do('provisionProject', input, { attempt: 2, retryPolicy }));
    await expectNothingLeft();
    stage.policy = away;
    await stage.central().do('provisionProject', input);
    await expect(stage.starts()).resolves.toEqual(['provision']);
  });
});

describe('interrupted', () => {
  const HANGS = 'echo provision >> starts; cd "$PROVISION_DIR"; touch ca.key; sleep 1000';
  const begin = async (): Promise<Attempt<unknown>> => {
    const attempt = stage.central().begin('provisionProject', stage.provisionInput(['a']));
    await until(async () => await there(`${provisionFolder()}/ca.key`));
    return attempt;
  };

  test('by a stop, it ends as cancelled and leaves nothing', async () => {
    stage = await Stage.open({ provision: HANGS });
    const attempt = await begin();
    attempt.interrupt('CANCELLED');
    await expect(attempt.done).rejects.toThrow('CANCELLED');
    await expectNothingLeft();
    expect(stage.reported()).toEqual([]);
  });

  test.each(['WORKER_SHUTDOWN', 'NOT_FOUND', 'PAUSED'] as const)(
    'by %s, what it started goes on, and the next attempt finishes it',
    async (reason) => {
      const goOn = () => `${stage.path('computation')}/go-on`;
      stage = await Stage.open({
        provision: `touch "$PROVISION_DIR/ca.key"; while ! test -e go-on; do sleep 0.05; done\n${PROVISION}`,
      });
      const attempt = await begin();
      attempt.interrupt(reason);
      await expect(attempt.done).rejects.toThrow();
      const next = stage.central().begin('provisionProject', stage.provisionInput(['a']));
      await writeFile(goOn(), '');
      await expect(next.done).resolves.toMatchObject({ hostQueue: 'central.test' });
      await expect(stage.starts()).resolves.toEqual(['provision']);
      expect(stage.reported()).toEqual([]);
    },
  );

  test('by the death of what kept its node, it starts over in a clean folder', async () => {
    stage = await Stage.open({
      provision: `test -e "$PROVISION_DIR/half" && exit 8\ntest -e once || { touch once; touch "$PROVISION_DIR/half" "$PROVISION_DIR/ca.key"; exec sleep 1000; }\n${PROVISION}`,
    });
    const attempt = await begin();
    const { process: processes } = stage.centralHost().runtimes;
    const node = await processes.inspect({ ...stage.launch, node: 'provision' });
    if (node.state !== 'running') throw new Error(node.state);
    process.kill(-Number(node.id), 'SIGKILL');
    const failed = await failureOf(attempt.done);
    expect(failed).toMatchObject({ type: 'NodeNotStarted', nonRetryable: false });
    await expect(stage.central().do('provisionProject', stage.provisionInput(['a']))).resolves.toMatchObject({
      hostQueue: 'central.test',
    });
  });
});
