/** The central API's settings, read from the environment once. */
import { z } from 'zod';
import { objectStoreConfigFromEnv, type ObjectStoreConfig } from '../storage/object-store';

type Env = Readonly<Record<string, string | undefined>>;

const webUrl = z
  .url({ protocol: /^https?$/, error: 'must be an address like https://muster.example.org' })
  .transform((url) => url.replace(/\/+$/, ''));

const Environment = z.object({
  MUSTER_API_HOST: z
    .string()
    .default('127.0.0.1')
    .transform((list) =>
      list
        .split(',')
        .map((host) => host.trim())
        .filter((host) => host !== ''),
    )
    .refine((hosts) => hosts.length > 0, 'must name at least one address to listen on'),
  MUSTER_API_PORT: z.coerce
    .number('must be a port number')
    .int('must be a port number')
    .min(1, 'must be a port number, 1 to 65535')
    .max(65535, 'must be a port number, 1 to 65535')
    .default(7400),
  MUSTER_API_SECRET: z
    .string('is not set: make one with `openssl rand -hex 32`')
    .min(32, 'must have at least 32 characters: make one with `openssl rand -hex 32`'),
  MUSTER_PUBLIC_URL: webUrl.optional(),
  MUSTER_LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
  DATABASE_URL: z
    .url({
      protocol: /^postgres(ql)?$/,
      error: 'must be an address like postgres://user:password@host/database',
    })
    .optional(),
  MUSTER_DATA_DIR: z.string().min(1, 'is empty').optional(),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^.+:\d+$/, 'must be host:port')
    .default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().min(1, 'is empty').default('default'),
  TEMPORAL_UI_URL: webUrl.optional(),
});

/** Where the projection is kept: a Postgres server, or the embedded one in a folder. */
export type DatabaseConfig = { url: string } | { folder: string };

export interface ServerConfig {
  /** Every address to listen on. */
  hosts: string[];
  port: number;
  /** HS256 secret of access tokens. */
  secret: string;
  /** How people reach the API; without a slash at the end. */
  publicUrl: string;
  logLevel: string;
  database: DatabaseConfig;
  temporal: { address: string; namespace: string; uiUrl?: string | undefined };
  objectStore: ObjectStoreConfig;
}

/** Settings that cannot be used: one line for each variable that is wrong. */
export class ConfigError extends Error {
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'ConfigError';
  }
}

/**
 * Reads the settings. A variable that is set to nothing counts as not set.
 * @throws ConfigError
 */
export function readConfig(environment: Env): ServerConfig {
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(env);
  const wrong = parsed.success ? [] : firstIssues(parsed.error);
  if (env.DATABASE_URL === undefined && env.MUSTER_DATA_DIR === undefined)
    wrong.push(
      'MUSTER_DATA_DIR is not set: name a folder for the data, or a Postgres server with DATABASE_URL',
    );
  const objectStore = readObjectStore(env, wrong);
  if (!parsed.success || objectStore === undefined || wrong.length > 0) throw new ConfigError(wrong);

  const { data } = parsed;
  return {
    hosts: data.MUSTER_API_HOST,
    port: data.MUSTER_API_PORT,
    secret: data.MUSTER_API_SECRET,
    publicUrl: data.MUSTER_PUBLIC_URL ?? `http://127.0.0.1:${data.MUSTER_API_PORT}`,
    logLevel: data.MUSTER_LOG_LEVEL,
    database:
      data.DATABASE_URL === undefined ? { folder: data.MUSTER_DATA_DIR ?? '' } : { url: data.DATABASE_URL },
    temporal: {
      address: data.TEMPORAL_ADDRESS,
      namespace: data.TEMPORAL_NAMESPACE,
      uiUrl: data.TEMPORAL_UI_URL,
    },
    objectStore,
  };
}

/** One line for each variable: a value that is wrong in two ways needs one hint. */
function firstIssues(error: z.ZodError): string[] {
  const lines = new Map<string, string>();
  for (const { path, message } of error.issues) {
    const name = String(path[0]);
    if (!lines.has(name)) lines.set(name, `${name} ${message}`);
  }
  return [...lines.values()];
}

function readObjectStore(env: Env, wrong: string[]): ObjectStoreConfig | undefined {
  try {
    return objectStoreConfigFromEnv(env);
  } catch (error) {
    wrong.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
