/** What `--help` says below the options. */
import type { Command } from 'commander';

/** Adds examples of use. */
export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}
