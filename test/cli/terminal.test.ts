import { advance, NOTHING_YET } from '../../cli/progress';
import { createScreen } from '../../cli/terminal';
import { followed, nodeView, runView } from '../support/run-pictures';

const pictures = [
  followed({ type: 'run', data: runView({ state: 'launching' }) }),
  followed({ type: 'node', data: nodeView('central', { state: 'running' }) }),
  followed({ type: 'node', data: nodeView('central', { state: 'complete' }) }),
].map((_next, i, all) => all.slice(0, i + 1).reduce(advance, NOTHING_YET));

/** A terminal of one column of lines that understands the two codes that the screen uses. */
function terminal() {
  let lines: string[] = [];
  const write = (text: string) => {
    const up = /^\u001b\[(\d+)A\u001b\[0J/.exec(text);
    if (up !== null) lines = lines.slice(0, -Number(up[1]));
    const shown = text.slice(up?.[0].length ?? 0).replace(/\u001b\[\d+m/g, '');
    lines.push(...shown.split('\n').slice(0, -1));
    return true;
  };
  return { write, lines: () => lines };
}

test('not a terminal: a line per change, no terminal codes', () => {
  const written: string[] = [];
  const screen = createScreen({ write: (text: string | Uint8Array) => written.push(String(text)) > 0 });
  screen.line('hello');
  pictures.forEach((picture) => screen.show(picture));
  screen.close();
  expect(written).toEqual([
    'hello\n',
    '[0.0 s] run launching\n',
    '[0.0 s] central running\n',
    '[0.0 s] central complete\n',
  ]);
});

test.each([
  [60, 20],
  [0, 0],
])('a terminal of %s x %s: the block is replaced, lines stay above it', (columns, rows) => {
  const { write, lines } = terminal();
  const screen = createScreen({
    ...{ isTTY: true, columns, rows },
    write: (text: string | Uint8Array) => write(String(text)),
  });
  screen.line('first');
  for (const picture of pictures) {
    screen.show(picture);
    if (picture === pictures[1]) screen.line('second');
  }
  screen.close();
  screen.line('third');
  expect(lines()).toEqual([
    'first',
    'second',
    expect.stringMatching(/^run penguins-1: launching/),
    '  ✔ central  ●━●━●━●━●  complete',
    'third',
  ]);
});
