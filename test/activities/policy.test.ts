/** What a host lets run on it, and how. */
import fc from 'fast-check';
import {
  AllowedComputation,
  capped,
  meansFor,
  type HostPolicy,
  type ResourceCaps,
} from '../../activities/shared/policy';
import type { RuntimeKind } from '../../nodes';
import { toBytes, type NodeComputation } from '../../workflows/contract';
import { runInput } from '../support/run-input';
import { failureOf } from './stage';

const computation = (image?: string): NodeComputation =>
  runInput(['a'], { computation: { name: 'example', version: '1', ...(image && { image }) } }).computation;
const policy = (...computations: AllowedComputation[]): HostPolicy => ({
  file: 'site.yaml',
  computations,
  resources: {},
  logs: 'on-error',
  results: 'listed',
  datasets: {},
});
/** A host on which `auto` means `kind`. */
const host = (kind: RuntimeKind) => ({
  choose: (wish: RuntimeKind | 'auto') => Promise.resolve(wish === 'auto' ? kind : wish),
  images: {
    resolve: () => Promise.reject(new Error('nothing is to be resolved')),
    is: (reference: string, digest: string) => Promise.resolve((NAMES[reference] ?? reference) === digest),
  },
});
const NAMES: Readonly<Record<string, string>> = { 'i:1.0.0': 'i@sha256:1' };

const asDocker = { name: 'example', runtime: 'docker' as const, image: 'i@sha256:1' };
const asProcess = { name: 'example', runtime: 'process' as const, folder: '/c' };
const asEither = { name: 'example', runtime: 'auto' as const, image: 'i@sha256:1', folder: '/c' };
const docker = { runtime: 'docker', image: 'i@sha256:1' };
const processes = { runtime: 'process', folder: '/c' };

describe('how a computation may run', () => {
  test.each<[string, AllowedComputation[], string | undefined, RuntimeKind, object]>([
    ['an allowed image', [asDocker], 'i@sha256:1', 'docker', docker],
    ['an image that is allowed by name', [{ ...asDocker, image: 'i:1.0.0' }], 'i@sha256:1', 'docker', docker],
    ['docker where it was named, engine or not', [asDocker], 'i@sha256:1', 'process', docker],
    ['an allowed folder', [asProcess], undefined, 'docker', processes],
    ['an allowed folder of a computation that has an image too', [asProcess], 'other', 'docker', processes],
    ['either, where an engine answers', [asEither], 'i@sha256:1', 'docker', docker],
    ['either, where none does', [asEither], 'i@sha256:1', 'process', processes],
    ['either, of a computation without an image', [asEither], undefined, 'docker', processes],
    [
      'auto with an image only',
      [{ name: 'example', runtime: 'auto', image: 'i@sha256:1' }],
      'i@sha256:1',
      'process',
      docker,
    ],
    [
      'auto with a folder only',
      [{ name: 'example', runtime: 'auto', folder: '/c' }],
      'i@sha256:1',
      'docker',
      processes,
    ],
    ['the second of two images', [{ ...asDocker, image: 'old' }, asDocker], 'i@sha256:1', 'docker', docker],
  ])('%s', async (_, allowed, image, kind, means) => {
    await expect(meansFor(computation(image), policy(...allowed), host(kind))).resolves.toEqual(means);
  });

  test.each<[string, AllowedComputation[], string | undefined, string]>([
    [
      'a computation that is not named',
      [{ ...asProcess, name: 'other' }],
      undefined,
      '"example" is not allowed',
    ],
    ['another image', [asDocker], 'i@sha256:2', 'asks for image i@sha256:2'],
    [
      'what a name does not mean here',
      [{ ...asDocker, image: 'i:1.0.0' }],
      'i@sha256:2',
      'allowed here: i:1.0.0',
    ],
    ['another image, though there is a folder', [asEither], 'i@sha256:2', 'allowed here: i@sha256:1'],
    ['no image where an image is allowed', [asDocker], undefined, 'asks for image (none)'],
  ])('not %s', async (_, allowed, image, words) => {
    const refused = await failureOf(meansFor(computation(image), policy(...allowed), host('docker')));
    expect(refused).toMatchObject({ type: 'ComputationNotAllowed', nonRetryable: false });
    expect(refused.message).toContain(words);
  });
});

describe('an entry of the policy', () => {
  test.each([
    [{ name: 'x', runtime: 'docker', folder: '/c' }, 'a docker computation names its image'],
    [{ name: 'x', runtime: 'process', image: 'i' }, 'a process computation names its folder'],
    [{ name: 'x' }, 'name an image, a folder or both'],
  ])('%j is incomplete', (entry, words) => {
    const parsed = AllowedComputation.safeParse(entry);
    expect(parsed.error?.issues.map(({ message }) => message)).toContain(words);
  });
});

describe('the resources of a node', () => {
  const size = fc
    .tuple(fc.integer({ min: 1, max: 4096 }), fc.constantFrom('', 'Ki', 'Mi', 'Gi'))
    .map(([amount, unit]) => `${amount}${unit}`);
  const whole = fc.integer({ min: 1, max: 10_000 });
  const asked = fc.record({
    cpus: fc.integer({ min: 1, max: 640 }).map((tenths) => tenths / 10),
    memory: size,
    pids: whole,
    shm: size,
    gpus: fc.nat(8),
  });
  const caps: fc.Arbitrary<ResourceCaps> = fc.record(
    { cpus: whole, memory: size, pids: whole },
    { requiredKeys: [] },
  );

  test('are what it asks for, but never more than the host grants', () => {
    fc.assert(
      fc.property(asked, caps, (asked, caps) => {
        const got = capped(asked, caps);
        expect(got.cpus).toBe(Math.min(asked.cpus, caps.cpus ?? Infinity));
        expect(got.pids).toBe(Math.min(asked.pids, caps.pids ?? Infinity));
        const most = caps.memory === undefined ? Infinity : toBytes(caps.memory);
        expect(toBytes(got.memory)).toBe(Math.min(toBytes(asked.memory), most));
        expect([got.shm, got.gpus]).toEqual([asked.shm, asked.gpus]);
      }),
    );
  });
});
