/**
 * Every command of the guides does what the guide says: they are run in order, each guide in a clean folder, with real parts. What a
 * guide shows of the output comes in that order; `…` stands for anything.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../dev/package-root';
import { until } from '../support/until';

jest.setTimeout(600_000);

/** Commands that the tests' machine has done already: it has the packages, and the source with its dependencies. */
const DONE_ALREADY: readonly string[] = ['npm ci'];

interface Block {
  /** What the comment above it says, such as `terminal: dev`. */
  kind: string;
  language: string;
  text: string;
}

function blocksOf(guide: string): Block[] {
  const found = guide.matchAll(/(?:<!-- ([^\n]*) -->\n\n)?^```(sh|text|ini)\n([^]*?)^```$/gm);
  return [...found].map(([, kind = '', language = '', text = '']) => ({ kind, language, text: text.trim() }));
}

/** Whether the lines are shown in this order, each as the guide has it. */
function shows(output: string, shown: string): boolean {
  let rest = output.replace(/ +/g, ' ');
  return shown.split('\n').every((line) => {
    const parts = line
      .trim()
      .replace(/ +/g, ' ')
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const found = new RegExp(parts.join('[^\\n]*')).exec(rest);
    rest = rest.slice(found ? found.index + found[0].length : 0);
    return found !== null;
  });
}

/** A person who follows a guide in a folder. */
class Reader {
  private readonly terminals: { child: ChildProcess; ended: Promise<unknown> }[] = [];

  private constructor(readonly folder: string) {}

  /** In a folder that has the source, and nothing else. */
  static async begin(): Promise<Reader> {
    const folder = await mkdtemp(join(tmpdir(), 'muster-guide-'));
    const names = await readdir(packageRoot());
    for (const name of names.filter((one) => !one.startsWith('.')))
      await symlink(join(packageRoot(), name), join(folder, name));
    return new Reader(folder);
  }

  /** What the commands say; they are typed into the same terminal as those before. */
  async types(commands: string): Promise<string> {
    const typed = commands.split('\n').filter((line) => !DONE_ALREADY.includes(line));
    const script = ['set -e', '[ ! -e .session ] || . ./.session', ...typed, 'export -p > .session'].join(
      '\n',
    );
    const { child, output } = this.start(script);
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${commands}\nended with ${String(code)}:\n${output()}`);
    return output();
  }

  /** Leaves the command running in a terminal of its own, once it says what the guide shows. */
  async leavesRunning(command: string, shown: string): Promise<void> {
    const { child, output } = this.start(`exec ${command.replace(/^((?:\w+=\S+ )+)/, 'env $1')}`);
    let isOver = false;
    const ended = once(child, 'close').then(() => (isOver = true));
    this.terminals.push({ child, ended });
    await until(() => {
      if (isOver) throw new Error(`${command}\nhas ended:\n${output()}`);
      return shows(output(), shown);
    });
  }

  async leaves(): Promise<void> {
    for (const { child, ended } of this.terminals.reverse()) {
      // As Ctrl-C does: to all that the terminal runs.
      process.kill(-(child.pid ?? 0), 'SIGINT');
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private start(script: string) {
    // Nothing of the tests' own surroundings is for a reader.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(MUSTER|TEMPORAL|MINIO|DATABASE)_/.test(name)),
    );
    const child = spawn('bash', ['-c', script], {
      cwd: this.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    return { child, output: () => said };
  }
}

const read = async (name: string) => blocksOf(await readFile(join(packageRoot(), 'docs', name), 'utf8'));
const shownAfter = (blocks: readonly Block[], index: number) => {
  const next = blocks[index + 1];
  return next?.language === 'text' ? next.text : '';
};

const builtAt = async () => (await stat(join(packageRoot(), 'dist/web/index.html'))).mtimeMs;
let before: number;
beforeAll(async () => {
  before = await builtAt();
});

it('the quick start leads to a finished run', async () => {
  const blocks = await read('quickstart.md');
  const reader = await Reader.begin();
  try {
    for (const [index, { kind, language, text }] of blocks.entries()) {
      if (language !== 'sh' || kind === 'machine') continue;
      const shown = shownAfter(blocks, index);
      if (kind.startsWith('terminal:')) await reader.leavesRunning(text, shown);
      else {
        const output = await reader.types(text);
        if (shown !== '' && !shows(output, shown)) expect(`${text}\n${output}`).toContain(shown);
      }
    }
    expect(blocks.filter(({ language }) => language === 'sh').length).toBeGreaterThan(10);
  } finally {
    await reader.leaves();
  }
});

it('joining a site leads to one that is there', async () => {
  const blocks = await read('join-a-site.md');
  const centre = await Reader.begin();
  const site = await Reader.begin();
  let invitation: string[] = [];
  try {
    await centre.leavesRunning('npx muster dev', 'Stop everything with Ctrl-C.');
    for (const [index, { kind, language, text }] of blocks.entries()) {
      const shown = shownAfter(blocks, index);
      if (language === 'ini') await startService(site, text);
      // What systemd would do is done with the unit itself, above.
      if (language !== 'sh' || kind === 'service') continue;
      const [url = '', code = ''] = invitation;
      const typed = text.replace('URL CODE', `${url} ${code}`);
      const isThere = () => (kind === 'at the centre' ? centre : site).types(typed);
      const output = await until(async () => {
        const said = await isThere();
        // Who looks for the site may be a moment early.
        return (typed !== 'npx muster site ls' || shows(said, shown)) && said;
      });
      if (shown !== '' && !shows(output, shown)) expect(`${text}\n${output}`).toContain(shown);
      invitation = /site join (\S+) (\S+)/.exec(output)?.slice(1) ?? invitation;
    }
  } finally {
    await site.leaves();
    await centre.leaves();
  }
});

it('no command of a guide builds anew what others are running', async () => {
  expect(await builtAt()).toBe(before);
});

/** Does as systemd does with the unit, whose folders are those of the reader. */
async function startService(site: Reader, unit: string): Promise<void> {
  const here = unit
    .replaceAll('/opt/muster', site.folder)
    .replaceAll('/var/lib/muster', join(site.folder, 'lib'));
  const environment = [...here.matchAll(/^Environment=(.*)$/gm)].map(([, pair = '']) => pair);
  const command = /^ExecStart=\S+ (.*)$/m.exec(here)?.[1] ?? '';
  await site.leavesRunning(`${environment.join(' ')} ${process.execPath} ${command}`, '"msg":"ready"');
}
