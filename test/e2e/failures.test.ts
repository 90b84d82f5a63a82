/** Bad input and failing nodes: each gives the request or the run a clear error by name, and nothing hangs or is left. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { ApiProblem } from '../../client';
import type { RunDetail } from '../../workflows/api-contract';
import { CENTRAL_NODE } from '../../workflows/contract';
import { Consortium, type ConsortiumDraft } from '../support/consortium';
import { useFolder } from '../support/folder';

jest.setTimeout(300_000);

const folder = useFolder();
const sites = ['a', 'b'];
let consortium: Consortium;

/** A computation of shell commands; what a node does is what its command says. */
const PROVISION =
  'for node in a b centralNode; do mkdir -p "$PROVISION_DIR/runKits/$node"; echo {} > "$PROVISION_DIR/runKits/$node/kit.json"; done';
const WORK = 'echo "{}" > "$OUTPUT_DIR/result.json"';
const WAIT = 'sleep 600';
const shell = (script: string) => ['sh', '-c', script];

function computation({ provision = PROVISION, central = WAIT, edge = WAIT } = {}) {
  return {
    name: 'script',
    version: '1',
    commands: { provision: shell(provision), central: shell(central), edge: shell(edge) },
    parameters: { type: 'object', additionalProperties: false, properties: { rounds: { type: 'integer' } } },
    outputs: { central: ['result.json'], edge: ['result.json'] },
    deadlines: { stopGrace: '1s' },
  };
}

const body = (commands: Parameters<typeof computation>[0], more: object = {}): ConsortiumDraft => ({
  name: 'Scripts',
  computation: computation(commands),
  sites: sites.map((id) => ({ id, name: `Site ${id}`, dataset })),
  windows: { retry: '1s' },
  ...more,
});
let dataset = '';

beforeAll(async () => {
  for (const site of sites) mkdirSync(join(folder, 'data', site), { recursive: true });
  const manifest = join(folder, 'computation.json');
  writeFileSync(manifest, JSON.stringify(computation({ central: WORK, edge: WORK })));
  const siteArguments = sites.flatMap((id) => ['--site', `${id}=${join(folder, 'data', id)}`]);
  consortium = await Consortium.open([manifest, ...siteArguments, '--runtime', 'process']);
  const [tried] = (await consortium.api.listConsortia()).consortia;
  dataset = tried?.sites[0]?.dataset ?? '';
});
afterAll(async () => {
  const unreplayable = await consortium.replayAll();
  await consortium.muster.end();
  expect(unreplayable).toEqual([]);
});

const only = (node: string, otherwise: string, then: string) =>
  `if [ "$MUSTER_NODE" = ${node} ]; then ${then}; else ${otherwise}; fi`;
const stateOf = ({ nodes }: RunDetail, name: string) => nodes.find(({ node }) => node === name)?.state;

/** Processes on this machine that know themselves to be nodes of the run. */
function running(runId: string): string[] {
  const script = `grep -lz "^MUSTER_RUN_ID=${runId}$" /proc/[0-9]*/environ 2>/dev/null || true`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

it('a run of an unknown consortium is refused by name', async () => {
  const refused = await consortium.api
    .startRun({ path: { consortiumId: 'nowhere' } })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApiProblem);
  expect((refused as ApiProblem).status).toBe(404);
  expect((refused as ApiProblem).message).toContain('nowhere');
});

it('parameters that do not fit are refused by JSON pointer', async () => {
  await consortium.put('bad-parameters', body({}));
  const refused = await consortium.api
    .startRun({ path: { consortiumId: 'bad-parameters' }, body: { parameters: { rounds: 'many' } } })
    .catch((error: unknown) => error);
  expect((refused as ApiProblem).problem?.errors).toMatchObject([
    { pointer: expect.stringMatching(/\/rounds$/) as string },
  ]);
});

it('one key gives one run, however often it is asked for', async () => {
  await consortium.put('one-key', body({ central: WORK, edge: WORK }));
  const started = await Promise.all(
    [1, 2, 3].map(() =>
      consortium.api.startRun({
        path: { consortiumId: 'one-key' },
        headers: { 'idempotency-key': 'same-key' },
      }),
    ),
  );
  expect(new Set(started.map(({ runId }) => runId)).size).toBe(1);
  await consortium.ended(started[0]!.runId);
});

it('a provisioning that fails ends the run with its last words', async () => {
  const runId = await consortium.start('no-kits', body({ provision: 'echo "no entropy today" >&2; exit 3' }));
  const { run, nodes } = await consortium.ended(runId);
  expect(run).toMatchObject({ state: 'failed', error: { node: CENTRAL_NODE, type: 'ProvisionFailed' } });
  expect(run.error?.message).toContain('exited with 3');
  expect(run.error?.message).toContain('no entropy today');
  expect(nodes.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped']);
});

it('a kit that provisioning did not make ends the run and is named', async () => {
  const runId = await consortium.start(
    'broken-kit',
    body({ provision: `${PROVISION}; rm -r "$PROVISION_DIR/runKits/b"` }),
  );
  const { run } = await consortium.ended(runId);
  expect(run).toMatchObject({
    state: 'failed',
    error: { type: 'ProvisionFailed', message: expect.stringContaining('no kit for b') as string },
  });
});

it('a node that exits 1 fails the run by its site’s name, and every other node is stopped', async () => {
  const edge = only('b', WAIT, 'echo "column age is missing"; exit 1');
  const runId = await consortium.start('exits-1', body({ edge }));
  const ended = await consortium.ended(runId);
  expect(ended.run).toMatchObject({ state: 'failed', error: { node: 'b', type: 'NodeExited' } });
  expect(ended.run.error?.message).toMatch(/exited with code 1[^]*column age is missing/);
  expect([CENTRAL_NODE, 'a', 'b'].map((node) => stateOf(ended, node))).toEqual([
    'stopped',
    'stopped',
    'failed',
  ]);
  expect(ended.errors).toMatchObject([{ node: 'b', type: 'NodeExited', retrying: false }]);
  expect(running(runId)).toEqual([]);
});

it('a node that exits 0 without its declared outputs has failed', async () => {
  const runId = await consortium.start('no-outputs', body({ edge: only('a', WAIT, 'true') }));
  const ended = await consortium.ended(runId);
  expect(ended.run).toMatchObject({ state: 'failed', error: { node: 'a', type: 'OutputsMissing' } });
  expect(ended.run.error?.message).toContain('result.json');
  expect(running(runId)).toEqual([]);
});

it('a missing data folder is said to need attention while it can be mended, and then fails the run by name', async () => {
  const [here, away] = [join(folder, 'data', 'b'), join(folder, 'data', 'b-away')];
  renameSync(here, away);
  try {
    const runId = await consortium.start('no-data', body({}, { windows: { retry: '5s' } }));
    const waiting = await consortium.until(runId, ({ nodes }) =>
      nodes.some(({ attention }) => attention !== undefined),
    );
    expect(waiting.nodes.find(({ attention }) => attention)).toMatchObject({
      node: 'b',
      attention: { type: 'DataMissing' },
    });
    const { run, errors } = await consortium.ended(runId);
    expect(run).toMatchObject({ state: 'failed', error: { node: 'b', type: 'DataMissing' } });
    expect(errors[0]).toMatchObject({ node: 'b', type: 'DataMissing', retrying: false });
    expect(errors[0]!.count).toBeGreaterThan(1);
    expect(JSON.stringify(run.error)).not.toContain(folder);
  } finally {
    renameSync(away, here);
  }
});

it('a missing data folder that is put back lets the run go on', async () => {
  const [here, away] = [join(folder, 'data', 'b'), join(folder, 'data', 'b-away')];
  renameSync(here, away);
  const runId = await consortium.start(
    'data-back',
    body({ central: WORK, edge: WORK }, { windows: { retry: '1m' } }),
  );
  await consortium.until(runId, ({ nodes }) => nodes.some(({ attention }) => attention !== undefined));
  renameSync(away, here);
  expect((await consortium.ended(runId)).run.state).toBe('complete');
});

it('stop means stopped: also nodes that ignore SIGTERM, each confirmed, and it is no error', async () => {
  const stubborn = `trap "" TERM; ${WAIT} & while :; do wait; done`;
  const runId = await consortium.start('stubborn', body({ central: stubborn, edge: stubborn }));
  await consortium.up(runId);
  await consortium.api.stopRun({ path: { runId }, body: { reason: 'wrong parameters' } });
  const ended = await consortium.ended(runId);
  expect(ended.run).toMatchObject({ state: 'stopped', stop: { reason: 'wrong parameters' } });
  expect(ended.nodes.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped']);
  expect(ended.errors).toEqual([]);
  expect(running(runId)).toEqual([]);
});

it('a node may say how far it is, with the token of that node and launch only', async () => {
  const say = (token: string, phase: string) =>
    `node -e 'fetch(process.env.MUSTER_REPORT_URL, {method: "POST", headers: {authorization: "Bearer " + ${token}, "content-type": "application/json"}, body: JSON.stringify({phase: "${phase}", progress: 0.5})}).then((answer) => console.log("said", answer.status))'`;
  const edge = `${say('"nonsense"', 'forged')}; ${say('process.env.MUSTER_REPORT_TOKEN', 'round')}; ${WAIT}`;
  const runId = await consortium.start('says', body({ edge }));
  const told = await consortium.until(
    runId,
    ({ nodes }) => nodes.filter(({ report }) => report !== undefined).length === 2,
  );
  expect(told.nodes.slice(1).map(({ report }) => report)).toEqual(
    sites.map(() => ({ phase: 'round', progress: 0.5 })),
  );
  await consortium.api.stopRun({ path: { runId } });
  await consortium.ended(runId);
});

/** The run as it is from the launch after `launchId` on, once `want` holds. */
const afterwards = (runId: string, launchId: string | undefined, want: (detail: RunDetail) => boolean) =>
  consortium.muster.until('the next launch', async () => {
    const detail = await consortium.api.getRun({ path: { runId } });
    return detail.run.launchId !== launchId && want(detail) ? detail : undefined;
  });

it('a failed run whose cause was mended is retried: the same run, a new launch, and it completes', async () => {
  const [here, away] = [join(folder, 'data', 'b'), join(folder, 'data', 'b-away')];
  renameSync(here, away);
  const runId = await consortium.start('retried', body({ central: WORK, edge: WORK }));
  const failed = await consortium.ended(runId).finally(() => renameSync(away, here));
  expect(failed.run).toMatchObject({ state: 'failed', error: { node: 'b', type: 'DataMissing' } });

  await consortium.api.retryRun({ path: { runId }, body: { reason: 'the data is back' } });
  const { run, nodes } = await afterwards(runId, failed.run.launchId, (now) => now.run.state === 'complete');
  expect(run.error).toBeUndefined();
  expect(nodes.map(({ state, error }) => [state, error])).toEqual(nodes.map(() => ['complete', undefined]));
  const told = (await consortium.history(runId)).filter(({ type }) => type === 'CentralClientStartRun');
  expect(told[1]?.data).toMatchObject({ retry: true, reason: 'the data is back' });
});

it('a run at work is retried: the nodes of before are gone, and each new one is there once', async () => {
  const runId = await consortium.start('retried-at-work', body({}));
  const before = await consortium.up(runId);
  const old = running(runId);
  await consortium.api.retryRun({ path: { runId } });
  const isUp = ({ nodes }: RunDetail) => nodes.every(({ state }) => state === 'running');
  const after = await afterwards(runId, before.run.launchId, isUp);
  expect(running(runId).filter((node) => old.includes(node))).toEqual([]);
  const containers = (detail: RunDetail) => detail.nodes.map(({ containerId }) => containerId);
  expect(containers(after).filter((id) => containers(before).includes(id))).toEqual([]);
  expect(running(runId)).toHaveLength(old.length);
  await consortium.api.stopRun({ path: { runId } });
  const stopped = await afterwards(runId, before.run.launchId, ({ run }) => run.state === 'stopped');
  expect(stopped.nodes.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped']);
  expect(running(runId)).toEqual([]);
});
