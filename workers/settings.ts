/** What a worker is told by its environment. A wrong setting is one line that names the variable. */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Network } from '../activities/central/webhook-address';
import { tlsFiles } from '../certificates/tls-files';
import { KeyRingText } from '../sealing/key-ring';

/** A mistake in a setting or a configuration file; its message is all that a person needs to see. */
export class SettingsError extends Error {}

const Present = z.string('is not set').min(1, 'is empty');
const HttpUrl = z
  .string('is not set')
  .refine(
    (text) => /^https?:/.test(text) && URL.canParse(text),
    'must be an address like http://127.0.0.1:7400',
  );
/** Nodes have working folders of their own, so they are given whole paths. */
const Folder = Present.transform((path) => resolve(path));

/** How an edge worker reaches the centre is in its site.yaml. */
const Edge = z.object({
  TEMPORAL_NAMESPACE: Present.default('default'),
  /** How nodes in containers reach the API, where it is not how others do. */
  MUSTER_NODE_API_URL: HttpUrl.optional(),
  /** Private to this worker. */
  MUSTER_STATE_DIR: Folder,
  /** Where output folders are kept. */
  MUSTER_RESULTS_DIR: Folder,
});
const Log = z.object({
  MUSTER_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
});

/** As Compose passes on what is not set. */
const Unset = z.literal('').transform(() => undefined);
const SmtpUrl = z
  .string()
  .refine(
    (text) => /^smtps?:\/\/./.test(text) && URL.canParse(text),
    'must be an address like smtps://user:password@mail.example.org',
  );

const PortRange = z.string().transform((text, context) => {
  const [, first = '', last = ''] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  if (first !== '' && range.first >= 1 && range.first <= range.last && range.last <= 65535) return range;
  context.addIssue('must be a range of ports like 20000-20999');
  return z.NEVER;
});

const Networks = z.string().transform((text, context) => {
  const names = text.split(',').flatMap((name) => name.trim() || []);
  const networks = names.map(readNetwork);
  const known = networks.filter((network) => network !== undefined);
  if (known.length === networks.length) return known;
  context.addIssue('must be networks like 10.0.0.0/8, a comma between several');
  return z.NEVER;
});

function readNetwork(text: string): Network | undefined {
  const [, address = '', length = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const version = isIP(address);
  const prefix = Number(length);
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) return undefined;
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

const Central = Edge.extend({
  TEMPORAL_ADDRESS: Present.default('127.0.0.1:7233'),
  MUSTER_API_URL: HttpUrl,
  MUSTER_API_TOKEN: Present,
  MUSTER_PAYLOAD_KEYS: KeyRingText,
  /** Names this host among the central hosts; it must stay the same over restarts. */
  MUSTER_HOST_ID: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]*$/i, 'use letters, digits, . and -')
    .default(() => hostname()),
  MUSTER_CENTRAL_HOST: Present.optional(),
  MUSTER_CENTRAL_PORTS: PortRange.default({ first: 20_000, last: 20_999 }),
  /** YAML file that names the computations this host may run. */
  MUSTER_COMPUTATIONS: Present,
  MUSTER_SMTP_URL: Unset.or(SmtpUrl).optional(),
  MUSTER_SMTP_FROM: Unset.or(Present).optional(),
  /** Networks of one's own that webhooks may be in. */
  MUSTER_WEBHOOK_NETWORKS: Networks.prefault(''),
}).refine(
  ({ MUSTER_SMTP_URL: url, MUSTER_SMTP_FROM: from }) => (url === undefined) === (from === undefined),
  { path: ['MUSTER_SMTP_FROM'], error: 'and MUSTER_SMTP_URL are set together, or neither of them' },
);

export type EdgeSettings = z.output<typeof Edge>;
type Environment = Readonly<Record<string, string | undefined>>;

/** @throws SettingsError */
export const logLevel = (env: Environment): string => parse(Log, env).MUSTER_LOG_LEVEL;
/** @throws SettingsError */
export const edgeSettings = (env: Environment): EdgeSettings => parse(Edge, env);
/** @throws SettingsError */
export const centralSettings = (env: Environment) => {
  const wrong: string[] = [];
  const temporalTls = tlsFiles('TEMPORAL', env, (name, why) => wrong.push(`${name} ${why}`));
  return { ...parse(Central, env, wrong), ...(temporalTls && { temporalTls }) };
};
export type CentralSettings = ReturnType<typeof centralSettings>;

/** @param found what is wrong besides */
function parse<T extends z.ZodType>(schema: T, env: Environment, found: readonly string[] = []): z.output<T> {
  const parsed = schema.safeParse(env);
  if (parsed.success && found.length === 0) return parsed.data;
  const issues = parsed.error?.issues ?? [];
  const wrong = issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new SettingsError(`Settings: ${[...wrong, ...found].join('; ')}`);
}
