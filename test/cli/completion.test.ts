/** What the shells themselves offer when somebody presses the key for completion. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completionScript } from '../../cli/completion';
import { createProgram } from '../../cli/program';
import { useFolder } from '../support/folder';
import { describeWithProgram } from '../support/needs-program';

const folder = useFolder();

/** Runs a shell, and gives what it said. */
function shell(command: string, args: string[]): string {
  const { stdout, stderr, error, status } = spawnSync(command, args, {
    ...{ cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: folder, TERM: 'dumb' } },
  });
  if (error) throw error;
  expect([stderr, status]).toEqual(['', 0]);
  return stdout;
}

function bash(line: string): string[] {
  const words = line.split(' ').map((word) => `'${word}'`);
  const press = `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _muster`;
  const script = `${completionScript(createProgram(), 'bash')}\n${press}\nprintf '%s\\n' "\${COMPREPLY[@]}"\n`;
  writeFileSync(join(folder, 'press.bash'), script);
  return shell('bash', ['--norc', 'press.bash']).trim().split('\n');
}

/** Of an interactive shell, whose completion is loaded when it is needed first. What its completion offers is printed. */
const ZSHRC =
  String.raw`
PROMPT=
fpath=($ZDOTDIR/functions $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
  if [[ ` +
  '${@[1,(i)(-|--)]}' +
  String.raw` == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a found
  builtin compadd -A found "$@"
  print -rl -- "OFFERED:"$^found
}
zle-line-init() { print -r -- READY }
zle -N zle-line-init
press() { zle complete-word; print -r -- PRESSED }
zle -N press
bindkey '^I' press
`;
const PRESS = String.raw`
zmodload zsh/zpty
zpty shell zsh -i
zpty -r shell seen '*READY*'
zpty -w -n shell "$1"$'\t'
zpty -r shell seen '*PRESSED*'
print -r -- $seen
`;

function zsh(line: string): string[] {
  mkdirSync(join(folder, 'functions'), { recursive: true });
  writeFileSync(join(folder, 'functions/_muster'), completionScript(createProgram(), 'zsh'));
  writeFileSync(join(folder, '.zshrc'), ZSHRC);
  writeFileSync(join(folder, 'press.zsh'), `export ZDOTDIR=$PWD\n${PRESS}`);
  const said = shell('zsh', ['-f', 'press.zsh', line]).replaceAll('\r', '');
  return [...said.matchAll(/OFFERED:(.*)/g)].map(([, word = '']) => word);
}

function fish(line: string): string[] {
  writeFileSync(join(folder, 'muster.fish'), completionScript(createProgram(), 'fish'));
  const said = shell('fish', ['--no-config', '-c', `source muster.fish; complete -C '${line}'`]);
  return said
    .trim()
    .split('\n')
    .map((each) => each.split('\t')[0] ?? '');
}

for (const [name, offered] of Object.entries({ bash, zsh, fish }))
  describeWithProgram([name, '-c', 'true'], `completion in ${name}`, () => {
    it.each([
      ['muster co', ['completion', 'computation', 'consortium']],
      ['muster run st', ['start', 'stop']],
      ['muster run start penguins --w', ['--watch']],
      ['muster consortium people s', ['set']],
      ['muster completion z', ['zsh']],
      ['muster run ls --in st', ['stopped', 'stopping']],
      ['muster try --runtime ', ['auto', 'docker', 'process']],
      ['muster operator-token --sub me --role c', ['central']],
      // What was chosen before is no choice any more.
      ['muster run ls --in failed --lim', ['--limit']],
    ])('offers after `%s`', (line, words) => {
      expect(offered(line).sort()).toEqual(words);
    });

    it('offers files where a command takes one', () => {
      writeFileSync(join(folder, 'wanted.yaml'), '');
      // Bash adds them itself where a function has nothing to offer.
      expect(offered('muster computation add wan').join()).toBe(offered === bash ? '' : 'wanted.yaml');
    });
  });

describeWithProgram(['zsh', '-c', 'true'], 'zsh', () => {
  it('knows it when it is sourced', () => {
    writeFileSync(join(folder, 'sourced.zsh'), completionScript(createProgram(), 'zsh'));
    const known = 'autoload -Uz compinit; compinit -u -D; source ./sourced.zsh; print -r -- $_comps[muster]';
    expect(shell('zsh', ['-f', '-c', known])).toBe('_muster\n');
  });
});
