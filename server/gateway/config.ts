/** The site gateway's settings, read from the environment once. */
import { z } from 'zod';
import { KeyRingText, type NamedKeys } from '../../sealing/key-ring';
import { tlsFiles } from '../../certificates/tls-files';
import { ConfigError, type TemporalConfig } from '../config';

type Env = Readonly<Record<string, string | undefined>>;

const file = (what: string) => z.string(`is not set: name the file of ${what}`);
const text = (what: string) => z.string(`is not set: ${what}`);

const Environment = z.object({
  MUSTER_GATEWAY_HOST: z.string().default('127.0.0.1'),
  MUSTER_GATEWAY_PORT: z.coerce
    .number('must be a port number')
    .int('must be a port number')
    .min(0, 'must be a port number, 0 to 65535')
    .max(65535, 'must be a port number, 0 to 65535')
    .default(7410),
  MUSTER_GATEWAY_TLS_CERT: file('the certificate that sites are shown (PEM, with its chain)'),
  MUSTER_GATEWAY_TLS_KEY: file("that certificate's key (PEM)"),
  MUSTER_SITE_CA_CERT: file("the site CA's certificate (PEM)"),
  MUSTER_GATEWAY_KEYS: KeyRingText,
  MUSTER_PAYLOAD_KEYS: KeyRingText,
  MUSTER_API_URL: z
    .url({ protocol: /^https?$/, error: 'must be an address like https://muster.example.org' })
    .transform((url) => url.replace(/\/+$/, '')),
  MUSTER_API_TOKEN: text('make one with `muster operator-token`, for the gateway'),
  MUSTER_LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^.+:\d+$/, 'must be host:port')
    .default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
});

export interface GatewayConfig {
  host: string;
  port: number;
  /** Files, PEM. */
  certificate: { cert: string; key: string };
  siteCa: string;
  /** Seal the task tokens that sites see. */
  keys: NamedKeys;
  /** Open and seal what lies in histories. */
  payloadKeys: NamedKeys;
  api: { url: string; token: string };
  logLevel: string;
  temporal: TemporalConfig;
}

/**
 * Reads the settings. A variable that is set to nothing counts as not set.
 * @throws ConfigError
 */
export function readGatewayConfig(environment: Env): GatewayConfig {
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(env);
  const wrong = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join()} ${message}`);
  const tls = tlsFiles('TEMPORAL', env, (name, why) => wrong.push(`${name} ${why}`));
  if (!parsed.success || wrong.length > 0) throw new ConfigError(wrong);

  const { data } = parsed;
  return {
    host: data.MUSTER_GATEWAY_HOST,
    port: data.MUSTER_GATEWAY_PORT,
    certificate: { cert: data.MUSTER_GATEWAY_TLS_CERT, key: data.MUSTER_GATEWAY_TLS_KEY },
    siteCa: data.MUSTER_SITE_CA_CERT,
    keys: data.MUSTER_GATEWAY_KEYS,
    payloadKeys: data.MUSTER_PAYLOAD_KEYS,
    api: { url: data.MUSTER_API_URL, token: data.MUSTER_API_TOKEN },
    logLevel: data.MUSTER_LOG_LEVEL,
    temporal: {
      address: data.TEMPORAL_ADDRESS,
      namespace: data.TEMPORAL_NAMESPACE,
      ...(tls && { tls }),
    },
  };
}
