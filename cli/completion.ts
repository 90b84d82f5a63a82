/** `muster completion`: what a shell needs to complete commands, options and choices; made from the commands themselves. */
import { Argument, type Command, type Option } from 'commander';
import { examples } from './help';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** Adds `muster completion`. */
export function registerCompletion(program: Command): void {
  examples(
    program
      .command('completion')
      .description('print what lets your shell complete commands, options and choices')
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
  /** Whether a command is to follow, and so no file. */
  isGroup: boolean;
  words: Word[];
  choices: Choice[];
}
/** An option after which one of a few words comes, and nothing else. */
interface Choice {
  option: string;
  values: readonly string[];
}

const flagOf = ({ long, short }: Option) => long ?? short ?? '';

function placesOf(command: Command, path = ''): Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const options = help.visibleOptions(command);
  const choices = options.flatMap((option): Choice[] =>
    option.argChoices === undefined ? [] : [{ option: flagOf(option), values: option.argChoices }],
  );
  const words = [
    ...commands.map((one): Word => ({ word: one.name(), description: one.description() })),
    ...options.map((option): Word => ({ word: flagOf(option), description: option.description })),
    ...help
      .visibleArguments(command)
      .flatMap(({ argChoices, description }) =>
        (argChoices ?? []).map((word): Word => ({ word, description })),
      ),
  ];
  return [
    { path, words, choices, isGroup: commands.length > 0 },
    ...command.commands.flatMap((one) => placesOf(one, `${path} ${one.name()}`)),
  ];
}

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const paths = (places: readonly Place[]) => places.flatMap(({ path }) => (path === '' ? [] : [path]));

/** The script for a shell. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program);
  const known = paths(places).map(quoted).join('|');
  const list = ({ words }: Place) => words.map(({ word }) => word).join(' ');
  const chosen = places.flatMap(({ path, choices }) =>
    choices.map(({ option, values }) => ({ after: quoted(`${path} ${option}`), values })),
  );
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
  case "$at \${COMP_WORDS[COMP_CWORD-1]}" in
${chosen.map(({ after, values }) => `    ${after}) words=${quoted(values.join(' '))} ;;`).join('\n')}
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
  local -a offered
  local files=1
  case "$at" in
${places.map(zshLine).join('\n')}
  esac
  case "$at \${words[CURRENT-1]}" in
${chosen.map(({ after, values }) => `    (${after}) offered=(${values.map(quoted).join(' ')}); files=0 ;;`).join('\n')}
  esac
  _describe muster offered
  (( files )) && _files
}
# As a file that zsh loads when it is needed first, this is what it is needed for; else it is only made known.
if [[ "$funcstack[1]" == _muster ]]; then _muster "$@"; else compdef _muster muster; fi
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
${places.flatMap(fishLines).join('\n')}
`;
  }
}

function zshLine({ path, words, isGroup }: Place): string {
  const offered = words.map(({ word, description }) => quoted(`${word}:${summaryOf(description)}`));
  return `    (${quoted(path)}) offered=(${offered.join(' ')})${isGroup ? '; files=0' : ''} ;;`;
}

function fishLines({ path, words, choices, isGroup }: Place): string[] {
  const here = `complete -c muster -n ${quoted(`__muster_at '${path}'`)}`;
  return [
    ...(isGroup ? [`${here} -f`] : []),
    ...words.map(({ word, description }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${quoted(word)}`;
      const values = choices.find(({ option }) => option === word)?.values;
      const chosen = values === undefined ? '' : ` -x -a ${quoted(values.join(' '))}`;
      return `${here} ${what}${chosen} -d ${quoted(summaryOf(description))}`;
    }),
  ];
}

const summaryOf = (description: string) => description.split('\n')[0] ?? '';
