import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { showLogs, type LogsOf } from '../../cli/run-logs';
import { describeResults, downloadResults } from '../../cli/run-results';
import { createMusterApi } from '../../client';
import { ContractServer, problem } from '../support/contract-server';
import { useFolder } from '../support/folder';
import { nodeView, runView } from '../support/run-pictures';

const folder = useFolder();
const server = new ContractServer();
beforeAll(() => server.start());
afterAll(() => server.stop());
const api = () => createMusterApi({ url: server.url, token: 't' });

describe('muster run logs', () => {
  const detail = {
    ...{ run: runView({}), nodes: [nodeView('central'), nodeView('dream')] },
    ...{ errors: [], attempts: [], lastEventId: 0, links: { page: 'http://x' } },
  };
  const texts: Record<string, string> = { central: 'one\n\u001b[31mtwo', dream: 'three ä\nfour\n' };
  let absent: string[];

  beforeEach(() => {
    absent = [];
    server.answer = (request, response) => {
      const [, node = '', events] = /\/nodes\/([a-z]+)\/log(\/events)?(?:\?|$)/.exec(request.path) ?? [];
      if (node === '') response.writeHead(200).end(JSON.stringify(detail));
      else if (absent.includes(node) && events === undefined) {
        const type = 'urn:muster:problem:no-log';
        problem(404, 'There is no log here', { type, detail: `${node} keeps it.` })(request, response);
      } else if (events === undefined) response.writeHead(200).end(texts[node]);
      else {
        const message = (id: number, data: object) => `id: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
        const said = absent.includes(node) ? '' : message(9, { text: texts[node] });
        response.writeHead(200).end(said + message(9, { end: true }));
      }
    };
  });

  async function show(of: Partial<LogsOf>, isTTY = false) {
    const said = { stdout: '', stderr: '' };
    const stream = (name: keyof typeof said) => ({
      write: (text: string | Uint8Array) => {
        said[name] += String(text);
        return true;
      },
    });
    const stdout = { ...stream('stdout'), isTTY, once: process.stdout.once.bind(process.stdout) };
    const found = await showLogs(
      api(),
      { runId: 'penguins-1', follow: false, ...of },
      { stdout, stderr: stream('stderr') },
    );
    return { found, ...said };
  }

  it.each([false, true])('prints one log as it is (follow: %p)', async (follow) => {
    expect(await show({ node: 'central', follow })).toEqual({
      ...{ found: true, stdout: 'one\n\u001b[31mtwo', stderr: '' },
    });
  });

  it('does not let a log steer the terminal', async () => {
    expect(await show({ node: 'central' }, true)).toMatchObject({ stdout: 'one\ntwo' });
  });

  it.each([false, true])('marks the lines of several nodes (follow: %p)', async (follow) => {
    const { stdout } = await show({ follow });
    expect(stdout.split('\n').toSorted()).toEqual(
      ['', 'central | one', 'central | \u001b[31mtwo', 'dream   | three ä', 'dream   | four'].toSorted(),
    );
  });

  it.each([false, true])('says why a node has none, and shows the others (follow: %p)', async (follow) => {
    absent = ['central'];
    const { found, stdout, stderr } = await show({ follow });
    expect([found, stdout, stderr]).toEqual([
      ...[true, 'dream   | three ä\ndream   | four\n', 'central : central keeps it.\n'],
    ]);
    await expect(show({ node: 'central', follow })).rejects.toThrow('central keeps it.');
    absent = ['central', 'dream'];
    expect((await show({})).found).toBe(false);
  });

  it('asks for the launch that is meant', async () => {
    await show({ node: 'dream', launchId: 'launch000001' });
    expect(server.seen.at(-1)?.path).toBe('/api/runs/penguins-1/nodes/dream/log?launch=launch000001');
  });
});

describe('muster run results', () => {
  const contents: Record<string, string> = { 'fit.json': '{"slope":1}', 'plots/fit.svg': '<svg/>' };
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  const result = (name: string, text = contents[name] ?? '') => ({
    ...{ name, size: Buffer.byteLength(text), sha256: digest(text) },
  });
  let out: string;
  let count = 0;
  beforeEach(() => {
    out = join(folder, `out-${(count += 1)}`);
    server.answer = ({ path }, response) => {
      const { pathname, searchParams } = new URL(path, server.url);
      expect(pathname).toBe('/api/runs/penguins-1/results/file');
      response.writeHead(200).end(contents[searchParams.get('name') ?? '']);
    };
  });
  const download = async (results: ReturnType<typeof result>[]) => {
    const said: string[] = [];
    const open = (name: string) => api().openResult('penguins-1', name);
    await downloadResults(results, out, { open, say: (line) => said.push(line) });
    return said;
  };

  it('lists names, sizes and digests', () => {
    expect(describeResults([result('fit.json'), result('plots/fit.svg')])).toEqual([
      `11  ${digest('{"slope":1}')}  fit.json`,
      ` 6  ${digest('<svg/>')}  plots/fit.svg`,
    ]);
  });

  it('downloads all of them, and finds them there the second time', async () => {
    const all = Object.keys(contents).map((name) => result(name));
    expect(await download(all)).toEqual([join(out, 'fit.json'), join(out, 'plots/fit.svg')]);
    expect(readFileSync(join(out, 'plots/fit.svg'), 'utf8')).toBe('<svg/>');
    const asked = server.seen.length;
    expect(await download(all)).toHaveLength(2);
    expect(server.seen).toHaveLength(asked);
  });

  it('overwrites nothing', async () => {
    mkdirSync(out);
    writeFileSync(join(out, 'fit.json'), 'mine');
    await expect(download([result('plots/fit.svg'), result('fit.json')])).rejects.toThrow(
      `${join(out, 'fit.json')} is there with other content: name another folder with --out.`,
    );
    expect(readdirSync(out)).toEqual(['fit.json']);
    expect(readFileSync(join(out, 'fit.json'), 'utf8')).toBe('mine');
  });

  it('keeps nothing that is not what the run left', async () => {
    await expect(download([{ ...result('fit.json'), sha256: digest('other') }])).rejects.toThrow(
      'The result "fit.json" could not be downloaded: it is not what the run left.',
    );
    expect(readdirSync(out)).toEqual([]);
  });

  it('keeps nothing of what breaks off, or is refused, and says so', async () => {
    const size = { 'content-length': '11' };
    server.answer = (_request, response) =>
      response.writeHead(200, size).write('{', () => response.destroy());
    await expect(download([result('fit.json')])).rejects.toThrow(
      /^The result "fit.json" could not be downloaded: /,
    );
    server.answer = problem(404, 'Not found', { detail: 'Run penguins-1 has no result "fit.json".' });
    await expect(download([result('fit.json')])).rejects.toThrow(/Run penguins-1 has no result "fit.json"/);
    expect(readdirSync(out)).toEqual([]);
  });

  it.each(['../fit.json', '/etc/fit.json', 'a/../../fit.json', '..\\fit.json', ''])(
    'does not write outside the folder: %j',
    async (name) => {
      await expect(download([result(name)])).rejects.toThrow('has a name that leads out of the folder');
    },
  );
});
