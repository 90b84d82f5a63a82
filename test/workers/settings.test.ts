/** What a worker makes of its environment. */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { TEST_KEYS, TEST_KEYS_TEXT } from '../support/sealed';
import { SettingsError, centralSettings, edgeSettings, logLevel } from '../../workers/settings';

const edge = { MUSTER_STATE_DIR: 'state', MUSTER_RESULTS_DIR: '/results' };
const central = {
  ...edge,
  MUSTER_API_URL: 'http://127.0.0.1:7400',
  MUSTER_API_TOKEN: 'token',
  MUSTER_PAYLOAD_KEYS: TEST_KEYS_TEXT,
  MUSTER_COMPUTATIONS: 'computations.yaml',
};

function mistake(read: () => unknown): string {
  try {
    return `none: ${JSON.stringify(read())}`;
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).message;
  }
}

test('what is not set has a default where one serves', () => {
  expect(edgeSettings(edge)).toMatchObject({ TEMPORAL_NAMESPACE: 'default' });
  expect(centralSettings(central)).toMatchObject({
    TEMPORAL_ADDRESS: '127.0.0.1:7233',
    MUSTER_PAYLOAD_KEYS: TEST_KEYS,
    MUSTER_HOST_ID: hostname(),
    MUSTER_CENTRAL_PORTS: { first: 20_000, last: 20_999 },
  });
  expect(logLevel({})).toBe('info');
});

test('folders are whole paths, since nodes have working folders of their own', () => {
  expect(edgeSettings(edge)).toMatchObject({
    MUSTER_STATE_DIR: resolve('state'),
    MUSTER_RESULTS_DIR: '/results',
  });
});

test.each([
  ['1-65535', { first: 1, last: 65_535 }],
  ['21000-21000', { first: 21_000, last: 21_000 }],
])('%s is a range of ports', (text, range) => {
  expect(centralSettings({ ...central, MUSTER_CENTRAL_PORTS: text }).MUSTER_CENTRAL_PORTS).toEqual(range);
});

test.each<[string, string | undefined, string]>([
  ['MUSTER_API_URL', undefined, 'MUSTER_API_URL is not set'],
  ['MUSTER_API_URL', '', 'MUSTER_API_URL must be an address like http://127.0.0.1:7400'],
  ['MUSTER_API_URL', 'localhost:7400', 'MUSTER_API_URL must be an address like http://127.0.0.1:7400'],
  ['MUSTER_NODE_API_URL', 'docker', 'MUSTER_NODE_API_URL must be an address like http://127.0.0.1:7400'],
  ['MUSTER_API_TOKEN', undefined, 'MUSTER_API_TOKEN is not set'],
  ['MUSTER_STATE_DIR', undefined, 'MUSTER_STATE_DIR is not set'],
  ['MUSTER_RESULTS_DIR', '', 'MUSTER_RESULTS_DIR is empty'],
  ['MUSTER_COMPUTATIONS', undefined, 'MUSTER_COMPUTATIONS is not set'],
  ['MUSTER_CENTRAL_PORTS', '20000', 'MUSTER_CENTRAL_PORTS must be a range of ports like 20000-20999'],
  ['MUSTER_CENTRAL_PORTS', '30000-20000', 'MUSTER_CENTRAL_PORTS must be a range of ports like 20000-20999'],
  ['MUSTER_CENTRAL_PORTS', '0-70000', 'MUSTER_CENTRAL_PORTS must be a range of ports like 20000-20999'],
  ['MUSTER_HOST_ID', 'a b', 'MUSTER_HOST_ID use letters, digits, . and -'],
])('%s as %j is told in one line', (name, value, words) => {
  expect(mistake(() => centralSettings({ ...central, [name]: value }))).toBe(`Settings: ${words}`);
});

test('what is shown to Temporal has its key with it', () => {
  const tls = { TEMPORAL_TLS_CA: '/ca', TEMPORAL_TLS_CERT: '/cert', MUSTER_API_URL: undefined };
  expect(mistake(() => centralSettings({ ...central, ...tls }))).toBe(
    'Settings: MUSTER_API_URL is not set; TEMPORAL_TLS_KEY is not set, and TEMPORAL_TLS_CERT is: the two belong together',
  );
});

test.each(['', 'k1:short'])('the keys of histories as %j are told of with how to make one', (keys) => {
  const told = mistake(() => centralSettings({ ...central, MUSTER_PAYLOAD_KEYS: keys }));
  expect(told).toMatch(/^Settings: MUSTER_PAYLOAD_KEYS must be id:key.*make one with `node -p .*`$/);
});

test('every mistake is told at once', () => {
  expect(mistake(() => edgeSettings({}))).toBe(
    'Settings: MUSTER_STATE_DIR is not set; MUSTER_RESULTS_DIR is not set',
  );
});

test('an unknown log level is told, with those that there are', () => {
  expect(mistake(() => logLevel({ MUSTER_LOG_LEVEL: 'loud' }))).toMatch(
    /^Settings: MUSTER_LOG_LEVEL .*"debug"/,
  );
});

test('mails and webhooks: what is set to nothing is not set', () => {
  const unset = { MUSTER_SMTP_URL: '', MUSTER_SMTP_FROM: '', MUSTER_WEBHOOK_NETWORKS: '' };
  expect(centralSettings({ ...central, ...unset })).toMatchObject({
    ...{ MUSTER_SMTP_URL: undefined, MUSTER_SMTP_FROM: undefined, MUSTER_WEBHOOK_NETWORKS: [] },
  });
  const networks = centralSettings({ ...central, MUSTER_WEBHOOK_NETWORKS: '10.1.0.0/16, fd00::/8' });
  expect(networks.MUSTER_WEBHOOK_NETWORKS).toEqual([
    { address: '10.1.0.0', prefix: 16, family: 'ipv4' },
    { address: 'fd00::', prefix: 8, family: 'ipv6' },
  ]);
});

test.each([
  [{ MUSTER_SMTP_URL: 'mail.example.org' }, 'MUSTER_SMTP_URL must be an address like smtps:'],
  [{ MUSTER_SMTP_URL: 'smtp://mail.example.org' }, 'MUSTER_SMTP_FROM and MUSTER_SMTP_URL are set together'],
  [{ MUSTER_WEBHOOK_NETWORKS: '10.0.0.0/33' }, 'MUSTER_WEBHOOK_NETWORKS must be networks like 10.0.0.0/8'],
])('%j is a mistake', (wrong, said) => {
  expect(mistake(() => centralSettings({ ...central, ...wrong }))).toContain(said);
});
