/**
 * Keeps two servers from opening one data folder: the embedded database does not notice and would be damaged.
 *
 * Each process puts down a claim (a file named by its pid and start time) before it looks for other live ones. So of
 * two that start at once, at least one sees the other, and a claim that was left by a crash hinders nobody.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another process uses the folder. */
export class FolderInUse extends Error {
  constructor(folder: string, pid: string) {
    super(
      `The data folder ${folder} is in use by process ${pid}: stop that server, or set MUSTER_DATA_DIR to another.`,
    );
    this.name = 'FolderInUse';
  }
}

export interface FolderClaim {
  release(): void;
}

/**
 * Claims the folder for this process, making it if need be.
 * @throws FolderInUse
 */
export function claimFolder(folder: string): FolderClaim {
  const claims = join(folder, 'claims');
  mkdirSync(claims, { recursive: true });
  const own = `${process.pid}.${startTime(process.pid) ?? ''}`;
  const release = () => rmSync(join(claims, own), { force: true });
  writeFileSync(join(claims, own), '');
  for (const claim of readdirSync(claims)) {
    if (claim === own) continue;
    const [pid = '', started] = claim.split('.');
    if (startTime(Number(pid)) === started) {
      release();
      throw new FolderInUse(folder, pid);
    }
    rmSync(join(claims, claim), { force: true });
  }
  return { release };
}

/** What tells a process from an earlier one with the same pid; `undefined` when there is none. */
function startTime(pid: number): string | undefined {
  if (process.platform !== 'linux') return isAlive(pid) ? '' : undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before the last bracket may hold anything; then come the state (3rd field) and the start time (22nd).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
