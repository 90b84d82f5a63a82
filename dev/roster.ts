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
import { isRunning, ProcessIdentity, self, signalGroup } from './processes';
import type { StatePaths } from './state';

const Entry = z.object({ name: z.string(), address: z.string(), process: ProcessIdentity });
/** A part as it runs now. */
export type Entry = z.output<typeof Entry>;

const Roster = z.object({ supervisor: ProcessIdentity, parts: z.array(Entry) });
type Roster = z.output<typeof Roster>;

const POLL_MS = 20;

/** Publishes the parts of this process; an empty list takes its roster away. */
export function publishRoster(paths: StatePaths, parts: readonly Entry[]): Promise<void> {
  const file = join(paths.rosters, `${process.pid}.json`);
  return locked(paths.rosterLock, async () => {
    if (parts.length === 0) await rm(file, { force: true });
    else await writeWhole(file, JSON.stringify({ supervisor: self(), parts }));
    await publishProcesses(paths);
  });
}

/** Kills the parts of supervisors that were killed, and answers with those that were still running. */
export function endOrphans(paths: StatePaths): Promise<Entry[]> {
  return locked(paths.rosterLock, async () => {
    const orphans: Entry[] = [];
    for (const { file, roster } of await readRosters(paths)) {
      if (roster !== undefined && isRunning(roster.supervisor)) continue;
      orphans.push(...(roster?.parts.filter((part) => isRunning(part.process)) ?? []));
      await rm(file);
    }
    for (const { process } of orphans) signalGroup(process.pid, 'SIGKILL');
    while (orphans.some(({ process }) => isRunning(process))) await delay(POLL_MS);
    await publishProcesses(paths);
    return orphans;
  });
}

async function publishProcesses(paths: StatePaths): Promise<void> {
  const parts = (await readRosters(paths)).flatMap(({ roster }) => roster?.parts ?? []);
  const list = parts.map(({ name, address, process: { pid } }) => ({ name, pid, address }));
  await writeWhole(paths.processes, `${JSON.stringify(list, null, 2)}\n`);
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
