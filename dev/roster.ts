/**
 * The record of which processes belong to a stack. Every supervisor keeps a roster of its own parts, with all that is
 * needed to end them if it is killed; processes.json is made of all rosters, for people and scripts to read.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { readIfThere, writeWhole } from './files';
import { locked } from './lock';
import { identify, isGroupRunning, isRunning, signalGroup } from '../nodes/process-table';
import { ProcessIdentity, self } from './process-identity';
import type { StatePaths } from './state';

/** A part as it runs now. */
export interface Entry {
  name: string;
  pid: number;
  address: string;
}

const RecordedPart = z.object({ name: z.string(), address: z.string(), process: ProcessIdentity });
type RecordedPart = z.output<typeof RecordedPart>;

const Roster = z.object({ supervisor: ProcessIdentity, parts: z.array(RecordedPart) });
type Roster = z.output<typeof Roster>;

const POLL_MS = 20;

/** Publishes the parts of this process; an empty list takes its roster away. */
export function publishRoster(paths: StatePaths, entries: readonly Entry[]): Promise<void> {
  const file = join(paths.rosters, `${process.pid}.json`);
  return locked(paths.rosterLock, async () => {
    const parts = (await Promise.all(entries.map(recorded))).filter((part) => part !== undefined);
    if (parts.length === 0) await rm(file, { force: true });
    else await writeWhole(file, JSON.stringify({ supervisor: await self(), parts } satisfies Roster));
    await publishProcesses(paths);
  });
}

async function recorded({ name, pid, address }: Entry): Promise<RecordedPart | undefined> {
  const process = await identify(pid);
  return process && { name, address, process };
}

/** Every part that runs now, whoever supervises it. */
export async function runningParts(paths: StatePaths): Promise<Entry[]> {
  const rosters = await readRosters(paths);
  return rosters
    .flatMap(({ roster }) => roster?.parts ?? [])
    .map(({ name, address, process: { pid } }) => ({ name, pid, address }));
}

/** Kills the parts of supervisors that were killed, and answers with those that were still running. */
export function endOrphans(paths: StatePaths): Promise<Entry[]> {
  return locked(paths.rosterLock, async () => {
    const orphans: RecordedPart[] = [];
    for (const { file, roster } of await readRosters(paths)) {
      if (roster !== undefined && (await isRunning(roster.supervisor))) continue;
      for (const part of roster?.parts ?? []) {
        if (await isGroupRunning(part.process)) orphans.push(part);
      }
      await rm(file);
    }
    for (const { process } of orphans) signalGroup(process, 'SIGKILL');
    for (const { process } of orphans) while (await isGroupRunning(process)) await delay(POLL_MS);
    await publishProcesses(paths);
    return orphans.map(({ name, address, process: { pid } }) => ({ name, pid, address }));
  });
}

async function publishProcesses(paths: StatePaths): Promise<void> {
  await writeWhole(paths.processes, `${JSON.stringify(await runningParts(paths), null, 2)}\n`);
}

/** Every roster file; one that cannot be understood has no roster. */
async function readRosters(paths: StatePaths): Promise<{ file: string; roster: Roster | undefined }[]> {
  await mkdir(paths.rosters, { recursive: true });
  const names = (await readdir(paths.rosters)).filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(async (name) => {
      const file = join(paths.rosters, name);
      return { file, roster: parse(await readIfThere(file)) };
    }),
  );
}

function parse(text: string | undefined): Roster | undefined {
  try {
    return Roster.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}
