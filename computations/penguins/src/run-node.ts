/** What central and edge have in common: first words, reports, stopping when asked, and saying why they failed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PATHS } from './paths';
import { createReporter, type Progress } from './reporter';

export interface NodeTools {
  log: (text: string) => void;
  report: (progress: Progress) => void;
  writeResult: (name: string, result: object) => void;
}

export interface NodeProgram<Kit> {
  command: 'central' | 'edge';
  readKit(): Kit;
  /** How the node calls itself in its log. */
  name(kit: Kit): string;
  work(kit: Kit, tools: NodeTools): Promise<void>;
}

/** Runs a node's program to its exit code. */
export async function runNode<Kit>(program: NodeProgram<Kit>): Promise<void> {
  let name: string = program.command;
  let stage = 'starting';
  const send = createReporter(process.env);
  const tools: NodeTools = {
    log: (text) => console.log(`${name}: ${text}`),
    report(progress) {
      stage = progress.phase;
      send(progress);
    },
    writeResult: (file, result) => writeOutput(file, result),
  };
  // As the first process of a container it would be deaf to signals otherwise.
  process.once('SIGTERM', () => {
    tools.log('stopped, as asked');
    process.exit(143);
  });
  try {
    const kit = program.readKit();
    name = program.name(kit);
    tools.log(`started ${new Date().toISOString()}`);
    await program.work(kit, tools);
    tools.report({ phase: 'done', progress: 1 });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(`${name}: ${message}`);
    writeErrorMarker(program.command, stage, message);
    // Not an exit code alone: sites may be connected still.
    process.exit(1);
  }
}

/** Where Muster looks for a node's own account of its failure. */
function writeErrorMarker(command: string, stage: string, message: string): void {
  const origin = command === 'edge' ? 'site' : 'central';
  const marker = {
    schema_version: 1,
    origin,
    stage,
    scope: 'run',
    error_type: 'Error',
    message,
    traceback: '',
  };
  try {
    writeOutput('.neuroflame_error.json', marker);
  } catch {
    // The message is in the log already.
  }
}

function writeOutput(name: string, content: object): void {
  mkdirSync(PATHS.output, { recursive: true });
  writeFileSync(join(PATHS.output, name), `${JSON.stringify(content, undefined, 2)}\n`);
}
