import { ConfigError, readConfig } from '../../server/config';
import { TEST_KEYS, TEST_KEYS_TEXT } from '../support/sealed';

const GOOD = {
  MUSTER_API_SECRET: 'x'.repeat(32),
  MUSTER_PAYLOAD_KEYS: TEST_KEYS_TEXT,
  MUSTER_DATA_DIR: '/data',
  MINIO_ENDPOINT: 'http://127.0.0.1:9000',
  MINIO_ACCESS_KEY: 'access',
  MINIO_SECRET_KEY: 'secret',
};

const linesOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
};

describe('the settings of the central API', () => {
  it('have defaults where there is a sensible one', () => {
    expect(readConfig(GOOD)).toMatchObject({
      hosts: ['127.0.0.1'],
      port: 7400,
      publicUrl: 'http://127.0.0.1:7400',
      logLevel: 'info',
      payloadKeys: TEST_KEYS,
      database: { folder: '/data' },
      temporal: { address: '127.0.0.1:7233', namespace: 'default', uiUrl: undefined },
      objectStore: { bucket: 'muster' },
    });
  });

  it('take what is set', () => {
    const config = readConfig({
      ...GOOD,
      MUSTER_API_HOST: '127.0.0.1, 172.17.0.1',
      MUSTER_API_PORT: '8000',
      MUSTER_PUBLIC_URL: 'https://muster.example.org/',
      DATABASE_URL: 'postgres://user:password@db/muster',
      TEMPORAL_ADDRESS: 'temporal:7233',
      TEMPORAL_NAMESPACE: 'studies',
      TEMPORAL_UI_URL: 'https://temporal.example.org/',
    });
    expect(config).toMatchObject({
      hosts: ['127.0.0.1', '172.17.0.1'],
      port: 8000,
      publicUrl: 'https://muster.example.org',
      database: { url: 'postgres://user:password@db/muster' },
      temporal: { address: 'temporal:7233', namespace: 'studies', uiUrl: 'https://temporal.example.org' },
    });
  });

  it('name an OpenID provider whole, or none', () => {
    const provider = {
      MUSTER_OIDC_ISSUER: 'https://login.example.org',
      MUSTER_OIDC_CLIENT_ID: 'muster',
      MUSTER_OIDC_CLIENT_SECRET: 'secret',
    };
    expect(readConfig({ ...GOOD, ...provider }).oidc).toEqual({
      ...{ issuer: 'https://login.example.org', clientId: 'muster', clientSecret: 'secret' },
      name: 'your institution',
    });
    expect(readConfig(GOOD).oidc).toBeUndefined();
    expect(linesOf({ ...GOOD, ...provider, MUSTER_OIDC_CLIENT_SECRET: '' })).toEqual([
      'MUSTER_OIDC_CLIENT_SECRET is not set, and MUSTER_OIDC_ISSUER is',
    ]);
    const open = { MUSTER_OIDC_ISSUER: 'http://login.example.org', MUSTER_TRUSTED_PROXIES: 'the proxy' };
    expect(linesOf({ ...GOOD, ...provider, ...open })).toEqual([
      'MUSTER_OIDC_ISSUER must begin with https://',
      'MUSTER_TRUSTED_PROXIES must be a list of addresses, or of networks such as 10.0.0.0/8',
    ]);
  });

  it('name every variable that is wrong, each in one line', () => {
    expect(
      linesOf({
        MUSTER_API_PORT: 'http',
        MUSTER_API_SECRET: 'short',
        MUSTER_PAYLOAD_KEYS: 'k1',
        MUSTER_API_HOST: ' , ',
        MUSTER_PUBLIC_URL: 'muster',
        MUSTER_LOG_LEVEL: 'loud',
        DATABASE_URL: 'mysql://db',
        TEMPORAL_ADDRESS: 'temporal',
      }),
    ).toEqual([
      'MUSTER_API_HOST must name at least one address to listen on',
      'MUSTER_API_PORT must be a port number',
      'MUSTER_API_SECRET must have at least 32 characters: make one with `openssl rand -hex 32`',
      expect.stringMatching(/^MUSTER_PAYLOAD_KEYS must be id:key, .*: make one with `node -p /),
      'MUSTER_PUBLIC_URL must be an address like https://muster.example.org',
      'MUSTER_LOG_LEVEL must be fatal, error, warn, info, debug, trace or silent',
      'DATABASE_URL must be an address like postgres://user:password@host/database',
      'TEMPORAL_ADDRESS must be host:port',
      'Object store settings: MINIO_ENDPOINT is not set; MINIO_ACCESS_KEY is not set; MINIO_SECRET_KEY is not set',
    ]);
  });

  it('count as not set when they are empty', () => {
    expect(linesOf({ ...GOOD, MUSTER_API_SECRET: '', MUSTER_PAYLOAD_KEYS: '', MUSTER_DATA_DIR: '' })).toEqual(
      [
        'MUSTER_API_SECRET is not set: make one with `openssl rand -hex 32`',
        expect.stringMatching(/^MUSTER_PAYLOAD_KEYS is not set: make one with `node -p /),
        'MUSTER_DATA_DIR is not set: name a folder for the data, or a Postgres server with DATABASE_URL',
      ],
    );
  });

  it.each(['0', '65536', '-1', '1.5', ''])('take no port %j', (port) => {
    const lines = linesOf({ ...GOOD, MUSTER_API_PORT: port });
    expect(lines).toEqual(port === '' ? [] : [expect.stringContaining('must be a port number')]);
  });

  describe('for sites', () => {
    const SITES = {
      ...GOOD,
      MUSTER_SITE_API_URL: 'https://sites.example.org:7443/',
      MUSTER_GATEWAY_ADDRESS: 'gateway.example.org:7234',
      MUSTER_SITE_TLS_CERT: '/tls/server.crt',
      MUSTER_SITE_TLS_KEY: '/tls/server.key',
      MUSTER_SITE_TLS_CA: '/tls/ca.crt',
    };

    it('are none unless it is said how sites reach the API', () => {
      expect(readConfig(GOOD)).not.toHaveProperty('sites');
      expect(readConfig(SITES).sites).toEqual({
        hosts: ['127.0.0.1'],
        port: 7443,
        url: 'https://sites.example.org:7443',
        gatewayAddress: 'gateway.example.org:7234',
        tls: { cert: '/tls/server.crt', key: '/tls/server.key', ca: '/tls/ca.crt' },
        siteCa: { keptIn: '/data/site-ca' },
        signingKey: { keptIn: '/data/signing-key' },
      });
    });

    it('may bring the keys of the instance', () => {
      const given = {
        ...{
          MUSTER_SITE_CA_CERT: '/k/ca.crt',
          MUSTER_SITE_CA_KEY: '/k/ca.key',
          MUSTER_SIGNING_KEY: '/k/sign',
        },
        ...{ MUSTER_SITE_API_HOST: '0.0.0.0', MUSTER_SITE_API_PORT: '443' },
      };
      expect(readConfig({ ...SITES, ...given }).sites).toMatchObject({
        ...{ hosts: ['0.0.0.0'], port: 443 },
        siteCa: { cert: '/k/ca.crt', key: '/k/ca.key' },
        signingKey: { key: '/k/sign' },
      });
    });

    it('name everything that is missing', () => {
      const { MUSTER_DATA_DIR: _none, ...elsewhere } = SITES;
      expect(
        linesOf({ ...elsewhere, DATABASE_URL: 'postgres://db/muster', MUSTER_GATEWAY_ADDRESS: '' }),
      ).toEqual([
        'MUSTER_GATEWAY_ADDRESS is not set, and MUSTER_SITE_API_URL is',
        'MUSTER_SITE_CA_CERT is not set: name the file, or with MUSTER_DATA_DIR a folder to make and keep it in',
        'MUSTER_SIGNING_KEY is not set: name the file, or with MUSTER_DATA_DIR a folder to make and keep it in',
      ]);
      expect(linesOf({ ...SITES, MUSTER_SITE_API_URL: 'http://sites.example.org' })).toEqual([
        'MUSTER_SITE_API_URL must be an address like https://sites.muster.example.org:7443',
      ]);
      expect(linesOf({ ...SITES, MUSTER_SITE_CA_KEY: '/k/ca.key' })).toEqual([
        'MUSTER_SITE_CA_CERT is not set, and the other of MUSTER_SITE_CA_CERT and MUSTER_SITE_CA_KEY is',
      ]);
    });
  });
});
