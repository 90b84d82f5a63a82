#!/usr/bin/env node
/** `muster`: how every failure reaches the person: as one clear message and an exit code. */
import { CommanderError } from 'commander';
import { ApiProblem, ApiUnreachable } from '../client';
import { SettingsError } from '../dev/place';
import { FAILED, INTERRUPTED, MISUSED, NOT_ALLOWED, UNREACHABLE } from './exit-codes';
import { InterruptedError } from './interrupts';
import { messageOf } from './message-of';
import { createProgram } from './program';
import { UsageError } from './usage-error';

/** The exit code for what a command threw, after the person has been told. */
function report(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED;
  if (error instanceof InterruptedError) return INTERRUPTED;
  process.stderr.write(`error: ${messageOf(error)}\n`);
  if (error instanceof UsageError || error instanceof SettingsError) return MISUSED;
  if (error instanceof ApiUnreachable) return UNREACHABLE;
  if (error instanceof ApiProblem && (error.status === 401 || error.status === 403)) return NOT_ALLOWED;
  return FAILED;
}

async function main(): Promise<void> {
  // Whoever reads it in a pipe may have seen enough.
  process.stdout.once('error', () => process.exit());
  try {
    await createProgram().parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
  // Connections that are still open must not keep a command that is done.
  process.exit();
}

void main();
