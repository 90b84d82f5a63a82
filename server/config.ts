/** The central API's settings, read from the environment once. */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { tlsFiles, type TlsFiles } from '../certificates/tls-files';
import { KeyRingText, type NamedKey } from '../sealing/key-ring';
import { objectStoreConfigFromEnv, type ObjectStoreConfig } from '../storage/object-store';

type Env = Readonly<Record<string, string | undefined>>;

const withoutSlash = (url: string) => url.replace(/\/+$/, '');
const webUrl = z
  .url({ protocol: /^https?$/, error: 'must be an address like https://muster.example.org' })
  .transform(withoutSlash);
const addresses = z
  .string()
  .transform((list) =>
    list
      .split(',')
      .map((host) => host.trim())
      .filter((host) => host !== ''),
  )
  .refine((hosts) => hosts.length > 0, 'must name at least one address to listen on');
/** The form is for Fastify to judge: an address, or a network such as 10.0.0.0/8. */
const proxies = z
  .string()
  .transform((list) => list.split(',').map((one) => one.trim()))
  .refine(
    (list) => list.every((one) => /^[0-9a-f.:]+(\/\d+)?$/i.test(one)),
    'must be a list of addresses, or of networks such as 10.0.0.0/8',
  );
const port = z.coerce
  .number('must be a port number')
  .int('must be a port number')
  .min(1, 'must be a port number, 1 to 65535')
  .max(65535, 'must be a port number, 1 to 65535');
const file = z
  .string()
  .transform((path) => resolve(path))
  .optional();

const isThisMachine = (url: string) =>
  URL.canParse(url) && ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname);

const Environment = z.object({
  MUSTER_API_HOST: addresses.prefault('127.0.0.1'),
  MUSTER_API_PORT: port.default(7400),
  MUSTER_API_SECRET: z
    .string('is not set: make one with `openssl rand -hex 32`')
    .min(32, 'must have at least 32 characters: make one with `openssl rand -hex 32`'),
  MUSTER_PAYLOAD_KEYS: KeyRingText,
  MUSTER_ADMIN_LINK: z.enum(['print', 'off'], 'must be print or off').default('print'),
  MUSTER_OIDC_ISSUER: z
    .url({ protocol: /^https?$/, error: 'must be an address like https://login.example.org' })
    .refine((url) => url.startsWith('https:') || isThisMachine(url), 'must begin with https://')
    .optional(),
  MUSTER_OIDC_CLIENT_ID: z.string().min(1).optional(),
  MUSTER_OIDC_CLIENT_SECRET: z.string().min(1).optional(),
  MUSTER_OIDC_NAME: z.string().trim().min(1).max(60).default('your institution'),
  MUSTER_TRUSTED_PROXIES: proxies.optional(),
  MUSTER_CODEC_FOR: z.enum(['admins', 'local'], 'must be admins or local').default('admins'),
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
  MUSTER_SITE_API_URL: z
    .url({ protocol: /^https$/, error: 'must be an address like https://sites.muster.example.org:7443' })
    .transform(withoutSlash)
    .optional(),
  MUSTER_SITE_API_HOST: addresses.optional(),
  MUSTER_SITE_API_PORT: port.default(7443),
  MUSTER_SITE_TLS_CERT: file,
  MUSTER_SITE_TLS_KEY: file,
  MUSTER_SITE_TLS_CA: file,
  MUSTER_GATEWAY_ADDRESS: z
    .string()
    .regex(/^[^\s/]+:\d+$/, 'must be host:port')
    .optional(),
  MUSTER_SITE_CA_CERT: file,
  MUSTER_SITE_CA_KEY: file,
  MUSTER_SIGNING_KEY: file,
});
type Environment = z.output<typeof Environment>;

/** Where the projection is kept: a Postgres server, or the embedded one in a folder. */
export type DatabaseConfig =
  /** `tls` names what the server is certified by; `public`: what this machine trusts. Absent: there is no TLS. */
  { url: string; tls?: TlsFiles | 'public' | undefined } | { folder: string };

/** Temporal's frontend; by TLS where files for it are named. */
export interface TemporalConfig {
  /** host:port */
  address: string;
  namespace: string;
  tls?: TlsFiles | undefined;
}

/** Where sites are spoken to, each known by its certificate. */
export interface SitesConfig {
  /** Every address to listen on. */
  hosts: string[];
  port: number;
  /** How sites reach it; without a slash at the end. */
  url: string;
  /** host:port at which sites reach the gateway. */
  gatewayAddress: string;
  /** What is shown to sites, and what it is certified by: paths of PEM files. */
  tls: { cert: string; key: string; ca: string };
  /** The authority that certifies sites: PEM files, or the folder in which they are kept once they were made. */
  siteCa: { cert: string; key: string } | { keptIn: string };
  /** The key by which this instance signs, likewise. */
  signingKey: { key: string } | { keptIn: string };
}

/** The OpenID provider by which people sign in. */
export interface OidcConfig {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** What people call it. */
  name: string;
}

export interface ServerConfig {
  /** Every address to listen on. */
  hosts: string[];
  port: number;
  /** HS256 secret of access tokens. */
  secret: string;
  /** Whether a link for the first admin is printed while there is none. */
  adminLink: boolean;
  /** Absent where people sign in by passwords alone. */
  oidc?: OidcConfig | undefined;
  /** Whose word on where a request comes from is believed; without it, nobody's. */
  trustedProxies?: string[] | undefined;
  /** Seal what lies in histories, and secrets in the database; the first is used from now on. */
  payloadKeys: [NamedKey, ...NamedKey[]];
  /**
   * For whom histories are opened in the Temporal Web UI: admins who show that they are, or also whoever is on this machine.
   */
  codecFor: 'admins' | 'local';
  /** How people reach the API; without a slash at the end. */
  publicUrl: string;
  logLevel: string;
  database: DatabaseConfig;
  temporal: TemporalConfig & { uiUrl?: string | undefined };
  objectStore: ObjectStoreConfig;
  /** Absent where no site can join. */
  sites?: SitesConfig;
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
  const complain = (name: string, why: string) => wrong.push(`${name} ${why}`);
  const temporalTls = tlsFiles('TEMPORAL', env, complain);
  const databaseTls = tlsFiles('DATABASE', env, complain);
  const objectStore = readObjectStore(env, wrong);
  const postgres =
    parsed.data?.DATABASE_URL === undefined
      ? undefined
      : readPostgres(parsed.data.DATABASE_URL, databaseTls, wrong);
  const sites = parsed.success ? readSites(parsed.data, wrong) : undefined;
  const oidc = parsed.success ? readOidc(parsed.data, wrong) : undefined;
  if (!parsed.success || objectStore === undefined || wrong.length > 0) throw new ConfigError(wrong);

  const { data } = parsed;
  return {
    hosts: data.MUSTER_API_HOST,
    port: data.MUSTER_API_PORT,
    secret: data.MUSTER_API_SECRET,
    adminLink: data.MUSTER_ADMIN_LINK === 'print',
    trustedProxies: data.MUSTER_TRUSTED_PROXIES,
    payloadKeys: data.MUSTER_PAYLOAD_KEYS,
    codecFor: data.MUSTER_CODEC_FOR,
    publicUrl: data.MUSTER_PUBLIC_URL ?? `http://127.0.0.1:${data.MUSTER_API_PORT}`,
    logLevel: data.MUSTER_LOG_LEVEL,
    database: postgres ?? { folder: data.MUSTER_DATA_DIR ?? '' },
    temporal: {
      address: data.TEMPORAL_ADDRESS,
      namespace: data.TEMPORAL_NAMESPACE,
      uiUrl: data.TEMPORAL_UI_URL,
      ...(temporalTls && { tls: temporalTls }),
    },
    objectStore,
    ...(sites && { sites }),
    ...(oidc && { oidc }),
  };
}

/**
 * A server that is reached by TLS is always held to its certificate and its name: `sslmode` says whether, and not how. Other
 * words about TLS in an address would be the driver's to interpret, which has changed its mind about them.
 */
function readPostgres(address: string, files: TlsFiles | undefined, wrong: string[]): DatabaseConfig {
  const url = new URL(address);
  const mode = url.searchParams.get('sslmode');
  url.searchParams.delete('sslmode');
  const others = [...url.searchParams.keys()].filter((name) => /^(ssl|uselibpqcompat)/i.test(name));
  if (others.length > 0)
    wrong.push(
      `DATABASE_URL must not say ${others.join(', ')}: name files by DATABASE_TLS_CA, DATABASE_TLS_CERT and DATABASE_TLS_KEY`,
    );
  if (mode !== null && !['disable', 'require', 'verify-ca', 'verify-full'].includes(mode))
    wrong.push(`DATABASE_URL must not say sslmode=${mode}: say verify-full, or disable`);
  if (mode === 'disable' && files !== undefined)
    wrong.push('DATABASE_URL must not say sslmode=disable: DATABASE_TLS_CA is set');
  const tls = files ?? (mode === null || mode === 'disable' ? undefined : 'public');
  return { url: url.href, ...(tls && { tls }) };
}

/** All of it, or nothing. */
function readOidc(data: Environment, wrong: string[]): OidcConfig | undefined {
  const { MUSTER_OIDC_ISSUER: issuer, MUSTER_OIDC_NAME: name } = data;
  if (issuer === undefined) return undefined;
  const needed = needs(data, wrong, ', and MUSTER_OIDC_ISSUER is');
  return {
    ...{ issuer, name },
    clientId: needed('MUSTER_OIDC_CLIENT_ID'),
    clientSecret: needed('MUSTER_OIDC_CLIENT_SECRET'),
  };
}

/** Sites can join where MUSTER_SITE_API_URL says how they reach the API; then all that they need has to be there. */
function readSites(data: Environment, wrong: string[]): SitesConfig | undefined {
  const { MUSTER_SITE_API_URL: url } = data;
  if (url === undefined) return undefined;
  const needed = needs(data, wrong, ', and MUSTER_SITE_API_URL is');
  return {
    hosts: data.MUSTER_SITE_API_HOST ?? data.MUSTER_API_HOST,
    port: data.MUSTER_SITE_API_PORT,
    url,
    gatewayAddress: needed('MUSTER_GATEWAY_ADDRESS'),
    tls: {
      cert: needed('MUSTER_SITE_TLS_CERT'),
      key: needed('MUSTER_SITE_TLS_KEY'),
      ca: needed('MUSTER_SITE_TLS_CA'),
    },
    siteCa: readSiteCa(data, wrong),
    signingKey:
      data.MUSTER_SIGNING_KEY === undefined
        ? keptIn(data, 'signing-key', 'MUSTER_SIGNING_KEY', wrong)
        : { key: data.MUSTER_SIGNING_KEY },
  };
}

function readSiteCa(data: Environment, wrong: string[]): SitesConfig['siteCa'] {
  const { MUSTER_SITE_CA_CERT: cert, MUSTER_SITE_CA_KEY: key } = data;
  if (cert === undefined && key === undefined) return keptIn(data, 'site-ca', 'MUSTER_SITE_CA_CERT', wrong);
  const needed = needs(data, wrong, ', and the other of MUSTER_SITE_CA_CERT and MUSTER_SITE_CA_KEY is');
  return { cert: needed('MUSTER_SITE_CA_CERT'), key: needed('MUSTER_SITE_CA_KEY') };
}

/** Reads variables that have to be there, `because` of others. */
const needs = (data: Environment, wrong: string[], because: string) => (name: keyof Environment) => {
  const value = data[name];
  if (typeof value === 'string') return value;
  wrong.push(`${name} is not set${because}`);
  return '';
};

function keptIn(data: Environment, folder: string, name: string, wrong: string[]): { keptIn: string } {
  if (data.MUSTER_DATA_DIR === undefined)
    wrong.push(`${name} is not set: name the file, or with MUSTER_DATA_DIR a folder to make and keep it in`);
  return { keptIn: join(data.MUSTER_DATA_DIR ?? '', folder) };
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
