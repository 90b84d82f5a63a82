/** What the instance signs of a launch, and when a site takes it for true. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { CompactSign, UnsecuredJWT } from 'jose';
import { canonicalJson } from '../../sealing/canonical-json';
import {
  computationDigest,
  manifestProblem,
  readManifest,
  signManifest,
  termsProblem,
  type LaunchManifest,
  type Task,
} from '../../sealing/launch-manifest';
import { nodeComputation } from '../../workflows/launch-context';
import { runInput } from '../support/run-input';

const NOW = Date.UTC(2026, 0, 1);
const seconds = NOW / 1000;
const computation = nodeComputation(runInput(['a']));
const kit = { key: 'runs/r/launch000001/kits/a.zip', sha256: 'a'.repeat(64), size: 100 };
const task: Task = {
  ...{ runId: 'r', launchId: 'launch000001', consortium: { id: 'palmer' }, computation },
  site: { id: 'a', dataset: 'data' },
  kit: { node: 'a', ...kit },
};
const manifest: LaunchManifest = {
  ...{ aud: 'a', runId: 'r', launchId: 'launch000001', consortium: { id: 'palmer', name: 'Palmer' } },
  computation: { name: 'example', version: '1.0.0', digest: computationDigest(computation) },
  ...{ dataset: 'data', kit, iat: seconds, exp: seconds + 300, jti: 'once' },
};

describe('what is signed', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');

  test('is read by whoever has the public key', async () => {
    const fromPem = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }));
    expect(await readManifest(await signManifest(manifest, privateKey), fromPem)).toEqual({ manifest });
  });

  const signed = (
    payload: string,
    header: { alg: string; typ?: string } = { alg: 'EdDSA' },
    key = privateKey,
  ) => new CompactSign(Buffer.from(payload)).setProtectedHeader(header).sign(key);
  const typ = 'muster-launch+jws';
  test.each<[string, () => Promise<string> | string, string]>([
    [
      'by another key',
      () => signManifest(manifest, generateKeyPairSync('ed25519').privateKey),
      'not signed by the key',
    ],
    [
      'and changed since',
      async () => {
        const [head = '', , signature = ''] = (await signManifest(manifest, privateKey)).split('.');
        const other = Buffer.from(JSON.stringify({ ...manifest, dataset: 'all' })).toString('base64url');
        return `${head}.${other}.${signature}`;
      },
      'not signed by the key',
    ],
    ['by nobody', () => new UnsecuredJWT({ ...manifest }).encode(), 'not of the agreed form'],
    [
      'with a secret that is no secret',
      () =>
        new CompactSign(Buffer.from(JSON.stringify(manifest)))
          .setProtectedHeader({ alg: 'HS256', typ })
          .sign(publicKey.export({ type: 'spki', format: 'der' })),
      'not of the agreed form',
    ],
    ['as something else', () => signed(JSON.stringify(manifest)), 'something else that the centre signed'],
    [
      'with more in it',
      () => signed(JSON.stringify({ ...manifest, more: 1 }), { alg: 'EdDSA', typ }),
      'agreed form',
    ],
    ['with nothing in it', () => signed('{}', { alg: 'EdDSA', typ }), 'agreed form'],
    ['and no JSON', () => signed('{', { alg: 'EdDSA', typ }), 'agreed form'],
    ['and no signature at all', () => 'something', 'agreed form'],
  ])('%s, says nothing', async (_what, make, problem) => {
    const read = await readManifest(await make(), publicKey);
    expect(read).toEqual({ problem: expect.stringContaining(problem) as string });
  });

  test('any text is read or is not, and nothing else happens', async () => {
    const good = await signManifest(manifest, privateKey);
    const slip = fc.record({ at: fc.nat(good.length), cut: fc.nat(3), put: fc.string({ maxLength: 3 }) });
    const damaged = slip.map(({ at, cut, put }) => good.slice(0, at) + put + good.slice(at + cut));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), damaged), async (text) => {
        const read = await readManifest(text, publicKey);
        // Base64 has more than one way to write the last letter of a part.
        if ('manifest' in read) expect(read.manifest).toEqual(manifest);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a task', () => {
  test('is done where all of it was signed', () => {
    expect(manifestProblem(manifest, task, NOW)).toBeUndefined();
    expect(manifestProblem(manifest, { ...task, consortium: undefined }, NOW)).toBeUndefined();
  });

  const other = '0'.repeat(64);
  test.each<[string, Partial<LaunchManifest>, string]>([
    ['another site', { aud: 'b' }, 'it is for the site b'],
    ['another run', { runId: 's' }, 'it is about the run s'],
    ['an older launch', { launchId: 'launch000000' }, 'it is about the launch launch000000'],
    ['yesterday', { exp: seconds - 86_400 }, 'it expired 86400 seconds ago'],
    ['the same kit elsewhere', { kit: { ...kit, key: 'k' } }, 'it is about the kit k'],
    ['a kit of other bytes', { kit: { ...kit, sha256: other } }, `of sha256 ${other}`],
    ['a kit of another size', { kit: { ...kit, size: 1 } }, 'it is about the kit'],
    ['another consortium', { consortium: { id: 'ross', name: 'Palmer' } }, 'it is of the consortium ross'],
    [
      'another version',
      { computation: { ...manifest.computation, version: '2' } },
      'it is of the computation example 2, and the task of example 1.0.0',
    ],
    [
      'another computation',
      { computation: { ...manifest.computation, digest: other } },
      'in its image, commands',
    ],
    ['another dataset', { dataset: 'all' }, 'it is on the dataset all'],
  ])('is not done by what was signed for %s', (_what, change, problem) => {
    expect(manifestProblem({ ...manifest, ...change }, task, NOW)).toContain(problem);
  });

  test('may come a minute late, as clocks differ', () => {
    expect(manifestProblem(manifest, task, NOW + 360_000)).toBeUndefined();
    expect(manifestProblem(manifest, task, NOW + 361_000)).toContain('it expired 61 seconds ago');
  });

  test('that differs in anything that a node runs by is another one', () => {
    const changed = fc.oneof(
      fc.record({ edge: fc.array(fc.string({ minLength: 1 }), { minLength: 1 }) }).map((commands) => ({
        ...computation,
        commands: { ...computation.commands, ...commands },
      })),
      fc.string({ minLength: 1 }).map((image) => ({ ...computation, image })),
      fc.double({ min: 0.1, noNaN: true }).map((cpus) => ({
        ...computation,
        resources: { ...computation.resources, cpus },
      })),
    );
    fc.assert(
      fc.property(changed, (otherwise) => {
        const problem = manifestProblem(manifest, { ...task, computation: otherwise }, NOW);
        expect(problem === undefined).toBe(canonicalJson(otherwise) === canonicalJson(computation));
      }),
    );
  });

  test('is held against its terms once more when its node starts', () => {
    const terms = { consortium: 'palmer', computation: computationDigest(computation), dataset: 'data' };
    expect(termsProblem(terms, task)).toBeUndefined();
    for (const change of [{ consortium: 'ross' }, { computation: other }, { dataset: 'all' }])
      expect(termsProblem({ ...terms, ...change }, task)).toBeDefined();
  });
});

test('a value has one text, however it was written', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const parsed: unknown = JSON.parse(JSON.stringify(value));
      expect(canonicalJson(reversed(parsed))).toBe(canonicalJson(parsed));
      expect(JSON.parse(canonicalJson(parsed))).toEqual(parsed);
    }),
  );
});

/** The same with the keys of its objects in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reversed(part)]),
  );
}
