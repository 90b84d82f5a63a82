/**
 * Kits that nobody should have sent: by the hand of whoever sits in the object store, in Temporal, between the two, or at the
 * centre itself. Each is refused by its name before anything of it is unpacked.
 */
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { access, readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { sealContentKey } from '../../sealing/content-key';
import { digestBytes } from '../../storage/digest';
import { SealStream } from '../../storage/kit-cipher';
import type { FetchInput } from '../../workflows/contract';
import { rawZip, type RawEntry } from '../storage/raw-zip';
import { Stage, failureOf } from './stage';

let stage: Stage;
afterEach(() => stage.close());

/** The site's task as the run gives it, and the kits of both sites. */
interface Scene {
  task: FetchInput;
  ofOther: FetchInput['kit'];
  /** What the site's kit is sealed with. */
  contentKey: Buffer;
}

async function published(): Promise<Scene> {
  stage = await Stage.open();
  const { kit } = await stage.publish(['a', 'b']);
  const task = {
    ...{ ...stage.launch, consortium: stage.consortium, site: stage.member('a') },
    ...{ computation: stage.nodeComputation(), kit: kit('a') },
  };
  const told = stage.kits.get(stage.launchId)?.kits.find(({ node }) => node === 'a');
  return { task, ofOther: kit('b'), contentKey: Buffer.from(told?.key ?? '', 'base64url') };
}

/** What the site's step ends with. `a` looks as it did before: nothing was unpacked, nothing runs. */
async function fetching(task: FetchInput, site = stage.site('a')) {
  const failed = await failureOf(site.do('fetchRunKit', task));
  const kept = await stage.kept('a');
  expect(kept.filter((name) => !/^launches(\/[^/]+(\/launch\.json)?)?$/.test(name))).toEqual([]);
  await failureOf(site.do('launchEdgeNode', task));
  expect(await stage.starts()).toEqual(['provision']);
  return failed;
}

/** Replaces what is in the store. */
async function store(key: string, content: Buffer): Promise<void> {
  await stage.store.removePrefix(`runs/${stage.runId}`);
  await stage.store.putOnce(key, content);
}

/** Publishes a zip as the site's kit, sealed, signed and announced as it should be. */
async function publish({ task, contentKey }: Scene, zip: Buffer): Promise<FetchInput> {
  return announce(task, await buffer(Readable.from([zip]).pipe(new SealStream(contentKey))));
}

async function announce(task: FetchInput, sealed: Buffer): Promise<FetchInput> {
  const digest = digestBytes(sealed);
  await store(task.kit.key, sealed);
  const { computation, kits } = stage.kits.get(stage.launchId)!;
  const changed = kits.map((kit) => (kit.node === 'a' ? { ...kit, ...digest } : kit));
  stage.kits.set(stage.launchId, { computation, kits: changed });
  return { ...task, kit: { ...task.kit, ...digest } };
}

const file = (name: string, more: Partial<RawEntry> = {}): RawEntry => ({
  ...{ name, content: Buffer.from('evil') },
  ...more,
});

describe('a zip that was signed and sealed as it should be', () => {
  test.each<[string, RawEntry[], string]>([
    ['with a path that leads out', [file('../evil')], '"../evil" leads out of the kit'],
    ['with an absolute path', [file('/tmp/muster-evil')], '"/tmp/muster-evil" has an absolute path'],
    [
      'with a symbolic link',
      [file('l', { content: Buffer.from('/etc'), mode: 0o120777 })],
      '"l" is a link or a special file',
    ],
    // A zip knows no hard links; what other formats have for one is not taken for a file.
    ['with a hard link', [file('h', { mode: 0o130644 })], '"h" is a link or a special file'],
    ['with a character device', [file('d', { mode: 0o020666 })], '"d" is a link or a special file'],
    ['with a block device', [file('d', { mode: 0o060666 })], '"d" is a link or a special file'],
    ['with a pipe', [file('p', { mode: 0o010666 })], '"p" is a link or a special file'],
    ['with one name twice', [file('a'), file('a')], '"a" is there twice'],
    [
      'that is a bomb',
      [file('x', { content: Buffer.alloc(80 * 2 ** 20), method: 8 })],
      'its files hold more than 200 times the bytes of the zip',
    ],
    [
      'with more than it declares',
      [file('x', { content: Buffer.alloc(9999), method: 8, claimedSize: 9 })],
      'too many bytes',
    ],
  ])('%s, is refused', async (_what, entries, problem) => {
    const scene = await published();
    const failed = await fetching(await publish(scene, rawZip(entries)));
    expect(failed).toMatchObject({ type: 'KitBroken', nonRetryable: true });
    expect(failed.message).toContain(problem);
    await expect(access('/tmp/muster-evil')).rejects.toThrow('ENOENT');
    expect(
      (await readdir(stage.path('a'), { recursive: true })).filter((name) => name.includes('evil')),
    ).toEqual([]);
  });

  test('and is none, is refused', async () => {
    const failed = await fetching(await publish(await published(), Buffer.from('no zip')));
    expect(failed).toMatchObject({ type: 'KitBroken', nonRetryable: true });
  });
});

describe('a kit', () => {
  /** Spoils something of the scene, and answers the task as it is given to the site then. */
  type Spoil = (scene: Scene) => Promise<FetchInput> | FetchInput;
  const sealedTo = async (contentKey: Buffer, site: string): Promise<void> => {
    const jwe = await sealContentKey(contentKey, createPublicKey(stage.siteKey(site)));
    stage.access = (given) => ({ ...given, sealed: { ...given.sealed!, contentKey: jwe } });
  };
  const sign =
    (change: Parameters<typeof Object.assign>[1]): Spoil =>
    ({ task }) => {
      stage.sign = (manifest) => ({ ...manifest, ...(change as object) });
      return task;
    };
  const DAY = 86_400;

  test.each<[string, Spoil, 'KitBroken' | 'ManifestRefused', string]>([
    [
      'of other bytes in the store',
      async ({ task }) => {
        await store(task.kit.key, Buffer.alloc(task.kit.size));
        return task;
      },
      ...(['KitBroken', 'its sha256 is'] as const),
    ],
    [
      'of another digest in the task',
      ({ task }) => ({ ...task, kit: { ...task.kit, sha256: '0'.repeat(64) } }),
      ...(['ManifestRefused', 'and this site was given one of sha256 0000'] as const),
    ],
    [
      'that ends too early',
      async ({ task }) => {
        const whole = await buffer(await stage.store.getStream(task.kit.key));
        await store(task.kit.key, whole.subarray(0, -20));
        return task;
      },
      ...(['KitBroken', 'bytes came and not'] as const),
    ],
    [
      'that ends too early, and was announced like that',
      async ({ task }) =>
        announce(task, (await buffer(await stage.store.getStream(task.kit.key))).subarray(0, -20)),
      ...(['KitBroken', 'sealed with another key, or changed since'] as const),
    ],
    [
      'that is not sealed',
      ({ task }) => announce(task, rawZip([file('a')])),
      ...(['KitBroken', 'sealed with another key, or changed since'] as const),
    ],
    [
      'with another key than it was sealed with',
      async ({ task }) => {
        await sealedTo(randomBytes(32), 'a');
        return task;
      },
      ...(['KitBroken', 'sealed with another key, or changed since'] as const),
    ],
    [
      'with a key that was sealed to another site',
      async ({ task, contentKey }) => {
        await sealedTo(contentKey, 'b');
        return task;
      },
      ...(['ManifestRefused', 'the key of the kit was not sealed to this site'] as const),
    ],
    [
      'of another site, in the task',
      ({ task, ofOther }) => ({ ...task, kit: { ...ofOther, node: 'a' } }),
      ...(['ManifestRefused', 'it is about the kit'] as const),
    ],
    [
      'of another site, at the address that was given',
      async ({ task, ofOther }) => {
        const url = await stage.store.presignGet(ofOther.key, 60);
        stage.access = (given) => ({ ...given, url });
        return task;
      },
      ...(['KitBroken', 'is not what was published'] as const),
    ],
    ['that was signed for another site', sign({ aud: 'b' }), 'ManifestRefused', 'it is for the site b'],
    [
      'that was signed for another run',
      sign({ runId: 'other' }),
      'ManifestRefused',
      'it is about the run other',
    ],
    [
      'of an older launch',
      sign({ launchId: 'launch000000' }),
      'ManifestRefused',
      'about the launch launch000000',
    ],
    [
      'of yesterday',
      ({ task }) => {
        stage.sign = (manifest) => ({ ...manifest, iat: manifest.iat - DAY, exp: manifest.exp - DAY });
        return task;
      },
      ...(['ManifestRefused', 'it expired'] as const),
    ],
    [
      'of another consortium',
      sign({ consortium: { id: 'ross', name: 'Palmer' } }),
      'ManifestRefused',
      'consortium ross',
    ],
    ['for another dataset', sign({ dataset: 'all' }), 'ManifestRefused', 'it is on the dataset all'],
    [
      'for another command',
      ({ task }) => ({
        ...task,
        computation: { ...task.computation, commands: { ...task.computation.commands, edge: ['sh'] } },
      }),
      ...(['ManifestRefused', 'differs from the computation example 1.0.0 that was agreed on'] as const),
    ],
    [
      'that nobody signed',
      ({ task }) => {
        stage.access = ({ sealed: _none, ...given }) => given;
        return task;
      },
      ...(['ManifestRefused', 'the central API sent none'] as const),
    ],
  ])('%s is refused', async (_what, spoil, type, problem) => {
    const failed = await fetching(await spoil(await published()));
    expect(failed).toMatchObject({ type, nonRetryable: true });
    expect(failed.message).toContain(problem);
  });

  test('that was signed by another than the one who let the site join is refused', async () => {
    const { task } = await published();
    const site = stage.site('a');
    stage.signingKey = generateKeyPairSync('ed25519').privateKey;
    const failed = await fetching(task, site);
    expect(failed).toMatchObject({ type: 'ManifestRefused', nonRetryable: true });
    expect(failed.message).toContain('not signed by the key that this site has kept since it joined');
  });

  test('that nothing is amiss with, is run', async () => {
    const { task } = await published();
    await stage.site('a').do('fetchRunKit', task);
    await stage.site('a').do('launchEdgeNode', task);
    expect(await stage.kept('a')).toContain(`launches/${stage.runId}.${stage.launchId}/kit/name`);
  });
});

test('what is published can be read by nobody who has no key, and its key is in no file but the central worker’s own', async () => {
  const { task, contentKey } = await published();
  const objects = await stage.store.list(`runs/${stage.runId}`);
  const all = await Promise.all(objects.map(async ({ key }) => buffer(await stage.store.getStream(key))));
  for (const planted of [
    'the kit of',
    'provision_input',
    contentKey.toString('base64url'),
    contentKey.toString('hex'),
  ])
    expect(Buffer.concat(all).includes(planted)).toBe(false);
  await stage.site('a').do('fetchRunKit', task);
  expect(stage.log.join('\n')).not.toContain(contentKey.toString('base64url'));
  expect((await stage.kept('a')).filter((name) => /sealed|zip|keys/.test(name))).toEqual([]);
});

test('with the end of the launch kits and keys are gone', async () => {
  await published();
  expect([...stage.kits.keys()]).toEqual([stage.launchId]);
  await stage.central().do('releaseLaunch', stage.launch);
  expect(await stage.store.list(`runs/${stage.runId}`)).toEqual([]);
  expect([...stage.kits.keys()]).toEqual([]);
});
