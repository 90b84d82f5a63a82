/** What a site's administrator is told before there is any run, by the command as it is typed. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Approvals } from '../../activities/edge/approvals';
import { describe as describeResult, examine, type CheckResult } from '../../cli/site-check';
import { connectEngine, imageHere } from '../../nodes';
import { ensureImage } from '../../nodes/image';
import { Computation } from '../../workflows/contract';
import { describeWithEngine } from '../nodes/needs-engine';
import { useFolder } from '../support/folder';

const folder = useFolder();
const file = join(folder, 'site.yaml');
const manifest = join(folder, 'computation.yaml');
const NO_ENGINE = { DOCKER_HOST: 'unix:///no/such/engine.sock' };

const JOINED = `
gateway: gateway.example.org:7410
api: https://sites.example.org:7443
`;
const VALID = `${JOINED}
site: biscoe
computations: [{ name: example, runtime: process, folder: . }]
datasets: { data: data }
`;

interface Said {
  code: number;
  stdout: string;
  stderr: string;
}
const run = promisify(execFile);

/** `muster site ...`, as it is built. */
async function muster(...args: string[]): Promise<Said> {
  const main = resolve(__dirname, '../../dist/cli/main.js');
  const env = { PATH: process.env.PATH, HOME: folder, ...NO_ENGINE };
  try {
    return { code: 0, ...(await run(process.execPath, [main, 'site', ...args], { env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Said;
    return { code, stdout, stderr };
  }
}

beforeAll(async () => {
  await mkdir(join(folder, 'data'));
  await writeFile(manifest, 'name: example\nversion: 1.0.0\n');
});
beforeEach(() => writeFile(file, VALID));

const asked = ['--computation', manifest, '--consortium', 'palmer', '--dataset', 'data'];

test('a file that is in order', async () => {
  const { code, stdout } = await muster('check', '--config', file);
  expect(stdout).toBe(
    `OK    file                 site biscoe: runs of any consortium; no run waits for a person; the log of a node leaves the site once it has failed; of results, names and sizes leave the site
OK    dataset data         ${join(folder, 'data')}
NOTE  engine               does not answer: no containers run here
OK    computation example  processes of ${folder}

In order.
`,
  );
  expect(code).toBe(0);
});

test('a file that is not valid', async () => {
  await writeFile(file, `${VALID}\nlogs: everything`);
  const { code, stdout } = await muster('check', '--config', file);
  expect(stdout).toMatch(
    /^WRONG {2}file {2}.*\/logs .*A worker that runs goes on by the rules that it read last/,
  );
  expect(code).toBe(1);
});

test('a folder that is not there, and an engine that is needed', async () => {
  await writeFile(file, JOINED + 'site: a\ndatasets: { x: gone }\ncomputations: [{ name: e, image: "i:1" }]');
  const { code, stdout } = await muster('check', '--config', file);
  expect(stdout).toMatch(/^WRONG {2}dataset x .*gone.*does not exist$/m);
  expect(stdout).toMatch(/^WRONG {2}engine /m);
  expect(stdout).toMatch(/^NOTE +computation e +i:1, not looked at$/m);
  expect(code).toBe(1);
});

test('a run that would be let in', async () => {
  const { code, stdout } = await muster('check', '--config', file, ...asked);
  expect(stdout).toMatch(
    /Such a run would be let in. It would get 2 processors, 4Gi of memory, 512 processes\.\n$/,
  );
  expect(code).toBe(0);
});

test.each<[string, string, string, RegExp]>([
  [
    'refused',
    'consortia: [ross]',
    'consortia',
    /not be let in: site.yaml: consortia: consortium palmer is not/,
  ],
  [
    'wait',
    'maintenance: { reason: new disks }',
    'maintenance',
    /would wait: site.yaml: maintenance: .*new disks/,
  ],
  ['wait', 'approval: ask', 'approval', /would wait: site.yaml: approval: a person/],
  ['wait', 'approval: page', 'approval', /would wait: site.yaml: approval: a person who administers/],
])('a run that would be %s: %s', async (_, rule, name, words) => {
  await writeFile(file, `${VALID}\n${rule}`);
  const said = await muster('check', '--config', file, ...asked);
  expect(said.stdout).toMatch(words);
  expect(said.code).toBe(1);
  const { stdout, code } = await muster('check', '--config', file, ...asked, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ accepted: false, forecast: { rule: name } });
  expect(code).toBe(1);
});

test('a run on data that the site does not have', async () => {
  const { code, stdout } = await muster('check', '--config', file, ...asked.slice(0, -1), 'other');
  expect(stdout).toContain('the site maps no folder to dataset "other"');
  expect(code).toBe(1);
});

test.each([
  [['--computation', manifest], 'name the --consortium and the --dataset'],
  [['--dataset', 'data'], 'name its --computation too'],
  [['--computation', '/no/file', '--consortium', 'a', '--dataset', 'b'], '/no/file cannot be read'],
  [['--computation', manifest, '--consortium', 'A B', '--dataset', 'b'], 'is not the id of a consortium'],
  [['--colour'], 'unknown option'],
])('a question that is not understood: %j', async (args, words) => {
  const { code, stderr } = await muster('check', '--config', file, ...args);
  expect(stderr).toContain(words);
  expect(stderr.trim()).not.toContain('\n');
  expect(code).toBe(2);
});

describeWithEngine('with an engine', () => {
  const engine = connectEngine();
  const image = 'muster/test-node:1';
  let digest = '';
  beforeAll(async () => {
    await ensureImage({ engine, image, folder: resolve(__dirname, '../nodes/image') });
    digest = (await imageHere(engine, image))!.digest;
  }, 300_000);

  const examined = (entry: string) =>
    writeFile(
      file,
      `${JOINED}site: a\ncomputations: [{ name: example, ${entry} }]\ndatasets: { data: data, run: /run }`,
    ).then(() =>
      examine(file, {
        computation: Computation.parse({ name: 'example', version: '1.0.0', image }),
        ...{ consortium: 'palmer', dataset: 'data' },
      }),
    );

  test('images are named by digest, and a run of another one would not be let in', async () => {
    const allowed = await examined(`image: "${image}"`);
    expect(allowed.findings).toContainEqual({
      ...{ what: 'computation example', verdict: 'ok', says: `${image} is ${digest}` },
    });
    expect(allowed.forecast).toMatchObject({ decision: 'accept' });
    const pinned = digest.slice(digest.indexOf('sha256:'));
    expect((await examined(`digest: "${pinned}"`)).forecast).toMatchObject({ decision: 'accept' });
    const other = `sha256:${'0'.repeat(64)}`;
    const refused = await examined(`image: "${image}", digest: "${other}"`);
    expect(refused.forecast).toMatchObject({ decision: 'refuse', rule: 'computations' });
    expect(refused.findings).toContainEqual({
      ...{ what: 'computation example', verdict: 'wrong', says: `${image} is ${digest}, and not ${other}` },
    });
  });

  test("a folder with the engine's socket in it is no dataset", async () => {
    const { findings } = await examined(`image: "${image}"`);
    expect(findings.find(({ what }) => what === 'dataset run')).toMatchObject({
      verdict: 'wrong',
      says: expect.stringContaining("/run holds the container engine's socket") as string,
    });
  });

  test.each([
    ['', 'ok', 'nodes in containers reach their central node, and nothing else'],
    ['reports: https://muster.example.org', 'ok', 'and https://muster.example.org, and nothing else'],
    ['containers: { reach: any }', 'note', 'reach whatever this host reaches'],
  ])('with %j it says what nodes reach', async (more, verdict, words) => {
    await writeFile(file, `${JOINED}site: a\n${more}`);
    expect((await examine(file)).findings.find(({ what }) => what === 'reach')).toMatchObject({
      verdict,
      says: expect.stringContaining(words) as string,
    });
  });

  test('an image that is not here is not pulled', async () => {
    const { findings } = await examined('image: "muster/no-such-image:1"');
    expect(findings.find(({ what }) => what === 'computation example')).toMatchObject({
      verdict: 'note',
      says: 'muster/no-such-image:1 is not here: it would be pulled',
    });
  });
});

test('what it prints is plain, whatever is in the file', async () => {
  await writeFile(file, JOINED + 'site: a\ndatasets: { "x\\u001b[31m": "/no/\\u0007" }');
  const result: CheckResult = await examine(file);
  expect(describeResult(result).join('')).not.toMatch(/[\u0000-\u001f]/);
});

test('a person approves what waits, and refuses it, by name', async () => {
  const state = join(folder, 'state');
  await mkdir(state);
  expect((await muster('approvals', '--state', state)).stdout).toBe('Nothing waits for approval.\n');
  const approvals = new Approvals(state);
  const request = {
    ...{ runId: 'run-1', site: 'biscoe', dataset: 'data' },
    computation: { name: 'example', version: '1', command: ['x'] },
  };
  const resources = { cpus: 1, memory: '1Gi', pids: 1, shm: '1Mi', gpus: 0 };
  await approvals.ask(request, { resources, logs: 'none', results: 'hidden' });
  expect((await muster('approvals', '--state', state)).stdout).toMatch(/^run-1 {2}waits\n/);

  expect(await muster('approve', 'run-1', '--state', state)).toMatchObject({ code: 0 });
  await expect(approvals.answerTo(request)).resolves.toMatchObject({
    verdict: 'approved',
    by: userInfo().username,
  });
  expect((await muster('approvals', '--state', state)).stdout).toBe('Nothing waits for approval.\n');

  expect(await muster('refuse', 'run-1', '--why', 'not yet', '--state', state)).toMatchObject({ code: 0 });
  await expect(approvals.answerTo(request)).resolves.toMatchObject({ verdict: 'refused', why: 'not yet' });
  const { stdout } = await muster('approvals', '--all', '--json', '--state', state);
  expect(JSON.parse(stdout)).toMatchObject([{ state: 'refused', answer: { why: 'not yet' } }]);
});

test.each([
  [['approve', 'run-9'], 'No run run-9 has asked here'],
  [['refuse', 'run-9'], "required option '--why <text>'"],
  [['approvals'], "Name the edge worker's state folder"],
  [['approvals', '--state', '/no/such/folder'], 'The state folder /no/such/folder is not there'],
])('what cannot be answered is said in one line: %j', async (args, words) => {
  const state = args.includes('--state') || args[0] === 'approvals' ? [] : ['--state', folder];
  const { code, stderr } = await muster(...args, ...state);
  expect(stderr).toContain(words);
  expect(stderr.trim()).not.toContain('\n');
  expect(code).toBe(2);
});
