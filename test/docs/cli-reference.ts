/** The commands of `muster` as docs/cli.md lists them. */
import { Command } from 'commander';
import { withApiOptions } from '../../cli/api-access';
import { createProgram } from '../../cli/program';

/** A section for each command, with its arguments and options. */
export function cliReference(): string {
  return leavesOf(createProgram()).map(sectionOf).join('\n\n');
}

interface Leaf {
  path: string;
  command: Command;
}

function leavesOf(command: Command, path = 'muster'): Leaf[] {
  if (command.commands.length === 0) return [{ path, command }];
  return command.commands.flatMap((one) => leavesOf(one, `${path} ${one.name()}`));
}

/** Of the commands that speak with an API, alike. */
const COMMON = new Set(withApiOptions(new Command()).options.map(({ description }) => description));

function sectionOf({ path, command }: Leaf): string {
  const help = command.createHelp();
  const argument = command.registeredArguments.map((one) => {
    const name = one.variadic ? `${one.name()}...` : one.name();
    return one.required ? ` <${name}>` : ` [${name}]`;
  });
  const options = help
    .visibleOptions(command)
    .filter(({ long, description }) => long !== '--help' && !COMMON.has(description));
  const rows = [
    ...help.visibleArguments(command).map((one) => [`\`${one.name()}\``, help.argumentDescription(one)]),
    ...options.map((one) => [
      `\`${help.optionTerm(one).replaceAll('|', String.raw`\|`)}\``,
      help.optionDescription(one),
    ]),
  ].filter(([, words]) => words !== '');
  return [
    `### \`${path}${argument.join('')}\``,
    '',
    sentence(command.description()),
    ...(rows.length === 0
      ? []
      : [
          '',
          '| | |',
          '| --- | --- |',
          ...rows.map(([name = '', words = '']) => `| ${name} | ${cell(words)} |`),
        ]),
  ].join('\n');
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
const cell = (text: string) => text.replaceAll('|', String.raw`\|`).replaceAll('<', '&lt;');
