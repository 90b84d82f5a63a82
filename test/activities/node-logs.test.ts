/** What becomes of a node's log: what is kept of it on its host, and what the central API gets. */
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { KeptLog } from '../../activities/shared/kept-log';
import { MAX_LOG_PART_BYTES } from '../../workflows/api-contract';
import { useFolder } from '../support/folder';
import { problem } from '../support/contract-server';
import { PROVISION, Stage, failureOf } from './stage';
import { until } from '../support/until';

describe('a kept log', () => {
  const folder = useFolder();
  let count = 0;
  const files = () => {
    count += 1;
    return [join(folder, `run/${count}.log.gz`), join(folder, `${count}.json`)] as const;
  };
  const open = async (paths: readonly [string, string], limit?: number) =>
    (await KeptLog.open(...paths, limit))!;
  const read = async ([file]: readonly [string, string]) => gunzipSync(await readFile(file)).toString();

  test('is one gzip file, private to the user of the worker, that any tool reads', async () => {
    const paths = files();
    const log = await open(paths);
    await log.append(Buffer.from('first\n'), '6');
    await log.append(Buffer.from('second\n'), '13');
    await log.close();
    expect(await read(paths)).toBe('first\nsecond\n');
    expect((await stat(paths[0])).mode & 0o777).toBe(0o600);
    expect((await stat(paths[1])).mode & 0o777).toBe(0o600);
  });

  test('goes on after a crash where it was right', async () => {
    const paths = files();
    const before = await open(paths);
    await before.append(Buffer.from('first\n'), '6');
    // Half a member, of a worker that was killed while it wrote.
    await before.close();
    await writeFile(paths[0], Buffer.from([0x1f, 0x8b, 8, 0, 0]), { flag: 'a' });
    const after = await open(paths);
    expect(after.cursor).toBe('6');
    await after.append(Buffer.from('second\n'), '13');
    await after.close();
    expect(await read(paths)).toBe('first\nsecond\n');
  });

  test('is left alone once nothing is known of it any more', async () => {
    const paths = files();
    await (await open(paths)).close();
    const elsewhere = [paths[0], files()[1]] as const;
    expect(await KeptLog.open(...elsewhere)).toBeUndefined();
  });

  test('has an end, and says so', async () => {
    const paths = files();
    const log = await open(paths, 10);
    await log.append(Buffer.from('12345678'), '8');
    expect(log.isFull()).toBe(false);
    await log.append(Buffer.from('9abcdef'), '15');
    expect(log.isFull()).toBe(true);
    await log.append(Buffer.from('more'), '19');
    await log.close();
    expect(await read(paths)).toMatch(
      /^123456789a\n\[muster\] The log is longer .*: what follows is not kept\.\n$/,
    );
  });

  test('is sent in parts of whole members, each small enough, also by another worker', async () => {
    const paths = files();
    const log = await open(paths);
    const texts = Array.from({ length: 20 }, () => Buffer.from(randomBytes(150_000).toString('hex')));
    for (const [n, text] of texts.entries()) await log.append(text, String(n));
    const sent: Buffer[] = [];
    const send = async (from: KeptLog) => {
      const part = from.nextPart!;
      const bytes = await from.read(part);
      expect(bytes.length).toBeLessThanOrEqual(MAX_LOG_PART_BYTES);
      sent.push(gunzipSync(bytes));
      await from.markSent(part.end);
    };
    await send(log);
    await log.close();
    const other = await open(paths);
    while (other.nextPart !== undefined) await send(other);
    expect(sent.length).toBeGreaterThan(2);
    expect(Buffer.concat(sent).equals(Buffer.concat(texts))).toBe(true);
    await expect(other.markSent(10 ** 9)).rejects.toThrow('the central API has 1000000000 bytes');
    await other.close();
  });
});

describe('the log of a node that is watched', () => {
  let stage: Stage;
  afterEach(() => stage.close());

  /** What the central API was sent, in order. */
  const sent = () =>
    stage.api.seen
      .filter(({ method, path }) => method === 'PUT' && path.includes('/log?'))
      .map(({ path, body }) => ({ path, text: gunzipSync(body as Buffer).toString() }));
  const kept = async () => {
    const file = stage.path(`a/results/${stage.runId}/${stage.launchId}.a.log.gz`);
    return gunzipSync(await readFile(file)).toString();
  };

  async function launch(edge: string, logs: 'none' | 'on-error' | 'stream') {
    stage = await Stage.open({ edge });
    stage.policy = { ...stage.policy, logs };
    const { kit } = await stage.publish(['a']);
    const launching = { ...stage.launch, site: stage.member('a'), computation: stage.nodeComputation() };
    await stage.site('a').do('fetchRunKit', { ...launching, kit: kit('a') });
    await stage.site('a').do('launchEdgeNode', launching);
    return { ...stage.launch, node: 'a', computation: stage.nodeComputation() };
  }

  test('is kept whole and sent, also when the node succeeded, where the site streams', async () => {
    const node = await launch('echo reading; echo done >&2', 'stream');
    await stage.site('a').do('superviseNode', node);
    expect(await kept()).toBe('reading\ndone\n');
    expect(sent().map(({ text }) => text)).toEqual(['reading\ndone\n']);
    expect(sent()[0]!.path).toBe(`/api/runs/${stage.runId}/launches/${stage.launchId}/nodes/a/log?start=0`);
  });

  test('is sent while the node runs', async () => {
    const node = await launch(
      'echo here; while [ ! -e "$OUTPUT_DIR/go" ]; do sleep 0.05; done; echo bye',
      'stream',
    );
    const watching = stage.site('a').do('superviseNode', node);
    await until(() => sent().length > 0);
    expect(sent()[0]!.text).toBe('here\n');
    await writeFile(stage.path(`a/results/${stage.runId}/${stage.launchId}/go`), '');
    await watching;
    expect(
      sent()
        .map(({ text }) => text)
        .join(''),
    ).toBe('here\nbye\n');
  });

  test('is sent once, also the part that is on its way when the node ends', async () => {
    const node = await launch(
      'echo here; while [ ! -e "$OUTPUT_DIR/go" ]; do sleep 0.05; done; echo bye',
      'stream',
    );
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    stage.api.answer = (request, response) => void arrived.then(() => stage.answer(request, response));
    const watching = stage.site('a').do('superviseNode', node);
    await until(() => sent().length > 0);
    await writeFile(stage.path(`a/results/${stage.runId}/${stage.launchId}/go`), '');
    await until(async () => (await kept()).includes('bye'));
    arrive();
    await watching;
    expect(sent().map(({ text }) => text)).toEqual(['here\n', 'bye\n']);
  });

  test.each([
    ['on-error', 'exit 1', true],
    ['on-error', '', false],
    ['none', 'exit 1', false],
  ] as const)('with `%s` and a node that does "%s", leaves the site: %p', async (logs, end, leaves) => {
    const node = await launch(`echo the name of a patient; ${end}`, logs);
    await stage
      .site('a')
      .do('superviseNode', node)
      .catch(() => undefined);
    expect(await kept()).toBe('the name of a patient\n');
    expect(sent().map(({ text }) => text)).toEqual(leaves ? ['the name of a patient\n'] : []);
  });

  test('stays where it is when the node was stopped on request', async () => {
    const node = await launch(
      'trap "echo bye; exit 1" TERM; echo here; touch "$OUTPUT_DIR/up"; sleep 1000 & wait',
      'on-error',
    );
    const site = stage.site('a');
    const watching = failureOf(site.do('superviseNode', node));
    await until(() => stage.result('a', 'up').catch(() => undefined));
    await site.do('stopNode', { ...stage.launch, node: 'a', grace: '20s' });
    await site.do('releaseLaunch', stage.launch);
    await watching;
    expect(await kept()).toMatch(/^here\n[^]*bye\n$/);
    expect(sent()).toEqual([]);
    expect((await stage.kept('a')).filter((name) => name.includes('log'))).toEqual([]);
  });

  test('goes on without a gap or a repeat when the worker is restarted', async () => {
    const node = await launch(
      'echo one; while [ ! -e "$OUTPUT_DIR/go" ]; do sleep 0.05; done; echo two',
      'stream',
    );
    const first = stage.site('a').begin('superviseNode', node);
    await until(() => sent().length > 0);
    first.interrupt('WORKER_SHUTDOWN');
    await failureOf(first.done);
    const second = stage.site('a').do('superviseNode', node);
    await writeFile(stage.path(`a/results/${stage.runId}/${stage.launchId}/go`), '');
    await second;
    expect(await kept()).toBe('one\ntwo\n');
    expect(sent().map(({ text }) => text)).toEqual(['one\n', 'two\n']);
  });

  test('waits for the central API, and makes no node fail that it does not want', async () => {
    const node = await launch('echo here', 'stream');
    stage.api.answer = problem(503, 'Not ready');
    const watching = stage.site('a').do('superviseNode', node);
    await until(() => sent().length > 0);
    stage.api.answer = stage.answer;
    await expect(watching).resolves.toMatchObject({ exitCode: 0 });
    expect(new Set(sent().map(({ text }) => text))).toEqual(new Set(['here\n']));
  });

  test('that the central API refuses is not sent again', async () => {
    const node = await launch('echo here', 'stream');
    stage.api.answer = problem(404, 'Unknown run');
    await expect(stage.site('a').do('superviseNode', node)).resolves.toMatchObject({ exitCode: 0 });
    expect(sent()).toHaveLength(1);
  });

  test('of provisioning is kept on the central host and sent, though the node is removed', async () => {
    stage = await Stage.open({ provision: `echo making kits\n${PROVISION}` });
    stage.policy = { ...stage.policy, logs: 'stream' };
    await stage.central().do('provisionProject', stage.provisionInput(['a']));
    expect(sent()).toEqual([
      {
        path: `/api/runs/${stage.runId}/launches/${stage.launchId}/nodes/provision/log?start=0`,
        text: 'making kits\n',
      },
    ]);
    const file = stage.path(`central/results/${stage.runId}/${stage.launchId}.provision.log.gz`);
    expect(gunzipSync(await readFile(file)).toString()).toBe('making kits\n');
  });

  test('names of results stay at a site that hides them', async () => {
    const node = await launch('echo x > "$OUTPUT_DIR/patient-17.csv"', 'none');
    stage.policy = { ...stage.policy, results: 'hidden' };
    await expect(stage.site('a').do('superviseNode', node)).resolves.toMatchObject({ outputs: [] });
  });
});
