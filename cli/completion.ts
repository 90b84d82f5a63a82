/** `muster completion`: what a shell needs to complete commands and options; made from the commands themselves. */
import { Argument, type Command } from 'commander';
import { examples } from './help';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** Adds `muster completion`. */
export function registerCompletion(program: Command): void {
  examples(
    program
      .command('completion')
      .description('print what lets your shell complete commands and options')
      .addArgument(new Argument('<shell>', 'which one').choices(SHELLS))
      .action((shell: Shell) => {
        process.stdout.write(completionScript(program, shell));
      }),
    [
      'source <(muster completion bash)',
      'muster completion zsh > "${fpath[1]}/_muster"',
      'muster completion fish > ~/.config/fish/completions/muster.fish',
    ],
  );
}

interface Word {
  word: string;
  description: string;
}
/** A place on the command line, such as ` run start`, and what may come there. */
interface Place {
  path: string;
  words: Word[];
}

function placesOf(command: Command, path = ''): Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const words = [
    ...commands.map((one): Word => ({ word: one.name(), description: one.description() })),
    ...help.visibleOptions(command).map((option): Word => ({
      word: option.long ?? option.short ?? '',
      description: option.description,
    })),
    ...help
      .visibleArguments(command)
      .flatMap(({ argChoices, description }) =>
        (argChoices ?? []).map((word): Word => ({ word, description })),
      ),
  ];
  return [{ path, words }, ...command.commands.flatMap((one) => placesOf(one, `${path} ${one.name()}`))];
}

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const paths = (places: readonly Place[]) => places.flatMap(({ path }) => (path === '' ? [] : [path]));

/** The script for a shell. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program);
  const known = paths(places).map(quoted).join('|');
  const list = ({ words }: Place) => words.map(({ word }) => word).join(' ');
  switch (shell) {
    case 'bash':
      return `# Completion of muster for bash: source <(muster completion bash)
_muster() {
  local at="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in ${known}) at="$at $word" ;; esac
  done
  local words=""
  case "$at" in
${places.map((place) => `    ${quoted(place.path)}) words=${quoted(list(place))} ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _muster muster
`;
    case 'zsh':
      return `#compdef muster
_muster() {
  local at="" word
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    case "$at $word" in (${known}) at="$at $word" ;; esac
  done
  case "$at" in
${places.map((place) => `    (${quoted(place.path)}) compadd -- ${list(place)} ;;`).join('\n')}
  esac
  _files
}
compdef _muster muster
`;
    case 'fish':
      return `# Completion of muster for fish.
function __muster_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${paths(places).map(quoted).join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${places.flatMap(({ path, words }) => words.map((word) => fishLine(path, word))).join('\n')}
`;
  }
}

function fishLine(path: string, { word, description }: Word): string {
  const [summary = ''] = description.split('\n');
  const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${quoted(word)}`;
  return `complete -c muster -n ${quoted(`__muster_at '${path}'`)} ${what} -d ${quoted(summary)}`;
}
