#!/usr/bin/env node
/** `muster`: what it can do, and how every failure reaches the person: as one clear message and an exit code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { packageRoot } from '../dev/package-root';
import { SettingsError } from '../dev/place';
import { registerComputation } from './computation';
import { registerDemo } from './demo';
import { registerDev } from './dev';
import { FAILED, INTERRUPTED, MISUSED } from './exit-codes';
import { InterruptedError } from './interrupts';
import { messageOf } from './message-of';
import { registerRun } from './run';
import { registerSite } from './site';
import { registerTry } from './try';
import { registerToken } from './token';
import { UsageError } from './usage-error';

const PackageJson = z.object({ version: z.string(), description: z.string() });

function createProgram(): Command {
  const { version, description } = PackageJson.parse(
    JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')),
  );
  const program = new Command('muster')
    .description(description)
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replace(/\s+/g, ' ')}\n`) });
  registerDev(program);
  registerComputation(program);
  registerRun(program);
  registerSite(program);
  registerToken(program);
  registerTry(program);
  registerDemo(program);
  return program;
}

/** The exit code for what a command threw, after the person has been told. */
function report(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED;
  if (error instanceof InterruptedError) return INTERRUPTED;
  process.stderr.write(`error: ${messageOf(error)}\n`);
  return error instanceof UsageError || error instanceof SettingsError ? MISUSED : FAILED;
}

async function main(): Promise<void> {
  try {
    await createProgram().parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
  // Connections that are still open must not keep a command that is done.
  process.exit();
}

void main();
