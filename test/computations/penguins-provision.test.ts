import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { createAuthority, type Authority } from '../../computations/penguins/src/certificates';
import { parseProvisionInput } from '../../computations/penguins/src/provision-input';

const input = {
  users: [
    { id: 'north', name: 'North' },
    { id: 'south', name: 'South' },
  ],
  computation_parameters: '{}',
  fed_learn_port: 20001,
  host_identifier: 'host.docker.internal',
};
const parse = (change: object) => parseProvisionInput(JSON.stringify({ ...input, ...change }));

describe('the provision input', () => {
  test('parameters that are not given have their defaults', () => {
    const defaults = { outcome: 'body_mass_g', predictor: 'flipper_length_mm', pauseSeconds: 0 };
    expect(parse({})).toEqual({
      sites: ['north', 'south'],
      host: 'host.docker.internal',
      port: 20001,
      parameters: defaults,
    });
    const given = { computation_parameters: '{"predictor":"bill_depth_mm"}' };
    expect(parse(given).parameters).toEqual({ ...defaults, predictor: 'bill_depth_mm' });
  });

  test.each<[string, object, string]>([
    [
      'a key that is not in the contract',
      { admin_port: 8003 },
      'provision_input.json must not have the key "admin_port"',
    ],
    ['a missing key', { host_identifier: undefined }, 'provision_input.json lacks the key "host_identifier"'],
    ['no sites', { users: [] }, 'users must name at least one site'],
    [
      'a site twice',
      { users: [input.users[0], { id: 'north', name: 'N' }] },
      'Two users have the id "north"',
    ],
    [
      'a name twice',
      { users: [input.users[0], { id: 'n', name: 'North' }] },
      'Two users have the name "North"',
    ],
    [
      'a site id that is a path',
      { users: [{ id: '../x', name: 'x' }] },
      'The id of a user is not acceptable',
    ],
    [
      'the central kit’s name',
      { users: [{ id: 'centralNode', name: 'x' }] },
      'cannot have the id centralNode',
    ],
    ['a port out of range', { fed_learn_port: 70000 }, 'port must be a number from 1 to 65535'],
    ['no host name', { host_identifier: 'a b' }, 'host_identifier is neither'],
    ['parameters that are no JSON', { computation_parameters: '{' }, 'computation_parameters is not JSON'],
    ['parameters that are a list', { computation_parameters: '[]' }, 'The parameters must be a JSON object'],
    ['parameters that are null', { computation_parameters: 'null' }, 'The parameters must be a JSON object'],
    [
      'an unknown parameter',
      { computation_parameters: '{"speed":1}' },
      'The parameters must not have the key "speed"',
    ],
    ['a parameter of a wrong type', { computation_parameters: '{"outcome":1}' }, 'outcome is not acceptable'],
    [
      'too long a pause',
      { computation_parameters: '{"pauseSeconds":601}' },
      'pauseSeconds must be a number from 0 to 600',
    ],
  ])('%s is refused by name', (_what, change, message) => {
    expect(() => parse(change)).toThrow(message);
  });
});

describe('certificates', () => {
  let authority: Authority;
  let root: X509Certificate;
  beforeAll(async () => {
    authority = await createAuthority('a run');
    root = new X509Certificate(authority.cert);
  });

  test('the authority’s own may sign, and those it issues may not', async () => {
    const other = new X509Certificate((await createAuthority('a run')).cert);
    expect(root.ca).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
    for (const issued of [authority.issueServer('localhost'), authority.issueClient('north')]) {
      const leaf = new X509Certificate((await issued).cert);
      expect(leaf.ca).toBe(false);
      expect(leaf.checkIssued(root)).toBe(true);
      expect(leaf.verify(root.publicKey)).toBe(true);
      expect(leaf.verify(other.publicKey)).toBe(false);
    }
  });

  test('they are valid now, and not for ever', async () => {
    const { validFrom, validTo } = new X509Certificate((await authority.issueClient('north')).cert);
    expect(Date.parse(validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(validTo)).toBeGreaterThan(Date.now() + 86_400_000);
    expect(Date.parse(validTo)).toBeLessThan(Date.now() + 60 * 86_400_000);
  });

  test('a server’s holds for its host name only', async () => {
    const { cert } = await authority.issueServer('central.example.org');
    expect(new X509Certificate(cert).checkHost('central.example.org')).toBe('central.example.org');
    expect(new X509Certificate(cert).checkHost('other.example.org')).toBeUndefined();
  });

  test('a server’s holds for its IP address, of either kind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.ipV4(), fc.ipV6()), async (address) => {
        const certificate = new X509Certificate((await authority.issueServer(address)).cert);
        expect(certificate.checkIP(address)).toBe(address);
        expect(certificate.checkIP('192.0.2.77')).toBeUndefined();
      }),
      { numRuns: 50, examples: [['::'], ['::1'], ['fe80::1:0:0:1'], ['::ffff:10.0.0.1'], ['127.0.0.1']] },
    );
  });

  test('a key fits its certificate, and no two are alike', async () => {
    const [one, two] = await Promise.all([authority.issueClient('north'), authority.issueClient('north')]);
    expect(new Set([one.key, two.key, one.cert, two.cert]).size).toBe(4);
    const more = await Promise.all(Array.from({ length: 100 }, () => authority.issueClient('n')));
    const serials = more.map(({ cert }) => new X509Certificate(cert).serialNumber);
    expect(new Set(serials).size).toBe(100);
  });
});
