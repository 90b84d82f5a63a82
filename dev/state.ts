/** The state folder of a local stack: where everything lies, and what is kept there from one start to the next. */
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { PRIVATE, readIfThere, writeWhole } from './files';
import { ProcessIdentity } from './process-identity';

/** Where a stack keeps its things; results may go to a folder of their own. */
export function statePaths(folder: string, results = join(folder, 'results')) {
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
    /** What the object store shows, in the way that MinIO wants it. */
    minioTls: at('minio-tls'),
    api: at('api'),
    /** What the authority that certifies sites is known by; the API makes it. */
    siteCa: at('api', 'site-ca', 'ca.crt'),
    /** What the API, the gateway and the object store show. */
    tls: at('tls'),
    central: at('central'),
    sites: at('sites'),
    site: (siteId: string) => at('sites', siteId),
    identity: (siteId: string) => at('sites', siteId, 'identity'),
    centralResults: resolve(results, 'central'),
    siteResults: (siteId: string) => resolve(results, 'sites', siteId),
    /** The computations that the central worker allows. */
    computations: at('computations.yaml'),
  };
}
export type StatePaths = ReturnType<typeof statePaths>;

/** What others must know to use a running stack. */
export const StackFile = z.object({
  supervisor: ProcessIdentity,
  temporal: z.object({ address: z.string(), namespace: z.string(), uiUrl: z.string().optional() }),
  objectStore: z.object({
    endpoint: z.string(),
    accessKey: z.string(),
    secretKey: z.string(),
    /** PEM file of what certifies it, where that is not what the machine trusts. */
    ca: z.string().optional(),
  }),
  api: z.object({
    url: z.string(),
    /** How containers reach it, where there is a container engine. */
    nodeUrl: z.string().optional(),
  }),
  /** How sites reach the API and the gateway. */
  sites: z.object({ apiUrl: z.string(), gateway: z.string() }),
  /** Where the central worker keeps the results of runs. */
  centralResults: z.string(),
  /** Taken again at the next start if they are free. */
  ports: z.record(z.string(), z.int()),
});
export type StackFile = z.output<typeof StackFile>;

/** What the last start of a stack wrote, whether or not it still runs; unless another version of Muster wrote it. */
export async function readStackFile(paths: StatePaths): Promise<StackFile | undefined> {
  const text = await readIfThere(paths.stack);
  return text === undefined ? undefined : StackFile.safeParse(JSON.parse(text)).data;
}

export function writeStackFile(paths: StatePaths, file: StackFile): Promise<void> {
  return writeWhole(paths.stack, JSON.stringify(file, null, 2), PRIVATE);
}

const Secrets = z.object({
  /** Signs access tokens. */
  api: z.string().min(32),
  objectStore: z.object({ accessKey: z.string(), secretKey: z.string() }),
  /** Seals the task tokens that sites see, as the gateway takes it. */
  gateway: z.string(),
  /** Seals what lies in histories, as MUSTER_PAYLOAD_KEYS. */
  payloads: z.string(),
});
export type Secrets = z.output<typeof Secrets>;

/** The secrets of this stack; each made at random the first time. */
export async function loadSecrets(paths: StatePaths): Promise<Secrets> {
  const kept = Secrets.partial().parse(JSON.parse((await readIfThere(paths.secrets)) ?? '{}'));
  const secrets = Secrets.parse({ ...newSecrets(), ...kept });
  if (Object.keys(kept).length < Object.keys(secrets).length)
    await writeWhole(paths.secrets, JSON.stringify(secrets), PRIVATE);
  return secrets;
}

function newSecrets(): Secrets {
  const secret = (bytes: number) => randomBytes(bytes).toString('hex');
  const key = () => `local:${randomBytes(32).toString('base64url')}`;
  return {
    api: secret(32),
    objectStore: { accessKey: secret(10), secretKey: secret(20) },
    gateway: key(),
    payloads: key(),
  };
}
