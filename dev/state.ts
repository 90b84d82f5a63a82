/** The state folder of a local stack: where everything lies, and what is kept there from one start to the next. */
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { PRIVATE, readIfThere, writeWhole } from './files';

/** Where a stack keeps its things. */
export function statePaths(folder: string) {
  const root = resolve(folder);
  const at = (...names: string[]) => join(root, ...names);
  return {
    root,
    lock: at('stack.lock'),
    /** The addresses and keys of the running stack, for whoever attaches to it. */
    stack: at('stack.json'),
    secrets: at('secrets.json'),
    processes: at('processes.json'),
    rosters: at('rosters'),
    rosterLock: at('rosters.lock'),
    logs: at('logs'),
    log: (part: string) => at('logs', `${part.replace(':', '-')}.log`),
    temporal: at('temporal'),
    minio: at('minio'),
    api: at('api'),
    central: at('central'),
    site: (siteId: string) => at('sites', siteId),
    /** Results of a node: `central` or a site's id. */
    results: (node: string) => at('results', node),
    /** The computations that the central worker allows. */
    computations: at('computations.yaml'),
  };
}
export type StatePaths = ReturnType<typeof statePaths>;

const Secrets = z.object({
  /** Signs access tokens. */
  api: z.string().min(32),
  objectStore: z.object({ accessKey: z.string(), secretKey: z.string() }),
});
export type Secrets = z.output<typeof Secrets>;

/** The secrets of this stack; made at random the first time. */
export async function loadSecrets(paths: StatePaths): Promise<Secrets> {
  const kept = await readIfThere(paths.secrets);
  if (kept !== undefined) return Secrets.parse(JSON.parse(kept));
  const secret = (bytes: number) => randomBytes(bytes).toString('hex');
  const secrets: Secrets = { api: secret(32), objectStore: { accessKey: secret(10), secretKey: secret(20) } };
  await writeWhole(paths.secrets, JSON.stringify(secrets), PRIVATE);
  return secrets;
}
