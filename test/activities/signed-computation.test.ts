/** Who vouches for a computation, and what a site makes of it. */
import fc from 'fast-check';
import { decodeJwt, generateKeyPair } from 'jose';
import { computationDigest } from '../../sealing/launch-manifest';
import { allowing, meansFor, type AllowedComputation } from '../../activities/shared/policy';
import { SignerKey, signatureOf, signComputation } from '../../activities/shared/signed-computation';
import type { NodeSpec } from '../../nodes';
import type { Computation } from '../../workflows/contract';
import { runInput } from '../support/run-input';
import { newSigner, type Signer } from '../support/signer';
import { Stage, failureOf } from './stage';

const D1 = `sha256:${'1'.repeat(64)}`;
const D2 = `sha256:${'2'.repeat(64)}`;
const computation = runInput(['a'], {
  computation: { name: 'penguins', version: '1.0.0', image: `registry.example.org/penguins@${D1}` },
}).computation;

let author: Signer;
let other: Signer;
let signed: Computation;
beforeAll(async () => {
  [author, other] = [await newSigner(), await newSigner()];
  signed = await author.sign(computation);
});

describe('a signature', () => {
  test('says who signed, and is of what runs at a site', async () => {
    expect(await signatureOf(signed)).toEqual({ signer: author.publicKey });
    const { commands, outputs, resources } = computation;
    expect(decodeJwt(signed.signature!)).toEqual({
      ...{ name: 'penguins', version: '1.0.0', image: D1, commands, outputs, resources },
    });
    expect(await signatureOf(computation)).toEqual({});
  });

  test.each<[string, Partial<Computation>]>([
    ['name', { name: 'other' }],
    ['version', { version: '1.0.1' }],
    ['image', { image: `registry.example.org/penguins@${D2}` }],
    ['image', { image: 'registry.example.org/penguins:1.0.0' }],
    ['commands', { commands: { ...computation.commands, edge: ['sh', '-c', 'curl evil'] } }],
    ['outputs', { outputs: { central: [], edge: ['*'] } }],
    ['resources', { resources: { ...computation.resources, gpus: 8 } }],
  ])('is not of a computation with another %s', async (part, change) => {
    expect(await signatureOf({ ...signed, ...change })).toEqual({
      flaw: `its signature does not fit its ${part}`,
    });
  });

  test.each<[string, Partial<Computation>]>([
    ['the registry that the image is got from', { image: `mirror.example.org/p@${D1}` }],
    ['how long a run may take', { deadlines: { ...computation.deadlines, run: '1h' } }],
    ['when a run has failed', { failure: { ...computation.failure, minSites: 1 } }],
  ])('leaves open %s', async (_, change) => {
    expect(await signatureOf({ ...signed, ...change })).toEqual({ signer: author.publicKey });
  });

  test('is not made of an image that is not named by its digest', async () => {
    const { privateKey } = await generateKeyPair('EdDSA');
    const key = { publicKey: author.publicKey, privateKey };
    expect(await signComputation({ ...computation, image: 'penguins:1' }, key)).toBeUndefined();
    const { image: _image, ...imageless } = computation;
    expect(await signComputation(imageless, key)).toBeUndefined();
  });

  test('that somebody made up counts for nothing', async () => {
    const [header = '', payload = '', sum = ''] = signed.signature!.split('.');
    const made = (more: object) => Buffer.from(JSON.stringify(more)).toString('base64url');
    const genuine = { alg: 'EdDSA', typ: 'muster-computation+jws', kid: author.publicKey };
    const forged = [
      `${made({ ...genuine, kid: other.publicKey })}.${payload}.${sum}`,
      `${made({ ...genuine, alg: 'none' })}.${payload}.`,
      `${made({ ...genuine, alg: 'HS256' })}.${payload}.${sum}`,
      `${made({ ...genuine, typ: 'JWT' })}.${payload}.${sum}`,
      `${made({ ...genuine, crit: ['b64'], b64: false })}.${payload}.${sum}`,
      `${made({ ...genuine, jwk: {} })}.${payload}.${sum}`,
      `${made({ ...genuine, kid: 'A'.repeat(43) })}.${payload}.${'A'.repeat(86)}`,
      `${header}.${made({ ...computation, image: D2 })}.${sum}`,
      `${header}.${payload}.${sum.slice(4)}`,
      'a.b.c',
    ];
    for (const signature of forged)
      expect(await signatureOf({ ...computation, signature })).toEqual({
        flaw: 'its signature is not valid',
      });
  });

  test('with any character changed is not that of the signer', async () => {
    const text = signed.signature!;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 1),
        fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_', '.'),
        async (at, letter) => {
          const signature = text.slice(0, at) + letter + text.slice(at + 1);
          const before = text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
          const after = signature.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
          // The last character of a part has bits that mean nothing.
          fc.pre(after.join() !== before.join());
          expect((await signatureOf({ ...computation, signature })).signer).toBeUndefined();
        },
      ),
      { numRuns: 300 },
    );
  });

  test('can be any text without anything else than a flaw', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (signature) => {
        expect(await signatureOf({ ...computation, signature })).toEqual({
          flaw: 'its signature is not valid',
        });
      }),
      { numRuns: 500 },
    );
  });
});

describe('what a site allows by its signer', () => {
  const by = (more: Partial<AllowedComputation> = {}): AllowedComputation => ({
    ...{ runtime: 'auto', signer: author.publicKey, ...more },
  });
  const asked = { name: 'penguins', version: '1.0.0', image: `registry.example.org/penguins@${D1}` };

  test.each<[string, () => AllowedComputation[], () => object, () => string | undefined]>([
    ['of any name', () => [by()], () => ({ signer: author.publicKey }), () => undefined],
    ['of its name', () => [by({ name: 'penguins' })], () => ({ signer: author.publicKey }), () => undefined],
    [
      'of another name',
      () => [by({ name: 'seals' })],
      () => ({ signer: author.publicKey }),
      () => 'computation "penguins" is not allowed here',
    ],
    [
      'of another version',
      () => [by({ versions: ['2.0.0'] })],
      () => ({ signer: author.publicKey }),
      () => 'version 1.0.0 of "penguins" is not allowed here; allowed: 2.0.0',
    ],
    [
      'that nobody signed',
      () => [by()],
      () => ({}),
      () => `"penguins" has to be signed by ${author.publicKey}, and nobody signed it`,
    ],
    [
      'that somebody else signed',
      () => [by()],
      () => ({ signer: other.publicKey }),
      () => `"penguins" has to be signed by ${author.publicKey}, and it is signed by ${other.publicKey}`,
    ],
    [
      'that was changed after it was signed',
      () => [by()],
      () => ({ flaw: 'its signature does not fit its image' }),
      () => `"penguins" has to be signed by ${author.publicKey}, and its signature does not fit its image`,
    ],
    [
      'of a signer and another digest',
      () => [by({ digest: D2 })],
      () => ({ signer: author.publicKey }),
      () => `the run asks for image registry.example.org/penguins@${D1} of "penguins"; allowed here: ${D2}`,
    ],
    [
      'that another entry lets in unsigned',
      () => [by(), { name: 'penguins', runtime: 'docker', digest: D1 }],
      () => ({}),
      () => undefined,
    ],
  ])('a computation %s', (_, entries, signature, why) => {
    const answer = allowing({ ...asked, ...signature() }, entries());
    expect('why' in answer ? answer.why : undefined).toBe(why());
  });

  test('runs as the image that was signed, which is got if it is not here', async () => {
    const looked: string[] = [];
    const ways = {
      choose: () => Promise.resolve('docker' as const),
      images: {
        resolve: () => Promise.reject(new Error('nothing is to be resolved')),
        is: (reference: string, digest: string) => {
          looked.push(reference);
          return Promise.resolve(reference === digest);
        },
      },
    };
    const policy = {
      ...{
        file: 'site.yaml',
        resources: {},
        logs: 'none' as const,
        results: 'hidden' as const,
        datasets: {},
      },
      computations: [by()],
    };
    expect(await meansFor(signed, policy, ways)).toEqual({ runtime: 'docker', image: signed.image });
    expect(looked).toEqual([signed.image]);
    const { type, message } = await failureOf(meansFor(computation, policy, ways));
    expect(type).toBe('ComputationNotAllowed');
    expect(message).toMatch(/^site\.yaml: computations: "penguins" has to be signed by .*nobody signed it$/);
  });

  test('a key is one of 32 bytes', () => {
    expect(SignerKey.safeParse(author.publicKey).success).toBe(true);
    for (const text of ['', 'abc', `${author.publicKey}=`, `${author.publicKey.slice(1)}+`])
      expect(SignerKey.safeParse(text).success).toBe(false);
  });
});

describe('at a site that asks for a signature', () => {
  let stage: Stage;
  let started: NodeSpec[];
  beforeEach(async () => {
    started = [];
    stage = await Stage.open();
  });
  afterEach(() => stage.close());

  /** A site with an engine on which each image is what it is called. */
  async function site() {
    const host = stage.edgeHost('a');
    const rules = await host.policy();
    const docker = {
      ...host.runtimes.docker,
      inspect: () => Promise.resolve({ state: 'absent' as const }),
      ensure: (spec: NodeSpec) => {
        started.push(spec);
        return Promise.resolve({ state: 'running' as const, id: 'c', startedAt: 1 });
      },
    };
    return stage.site('a', {
      runtimes: { ...host.runtimes, docker },
      images: { ...host.images, is: (reference, digest) => Promise.resolve(reference === digest) },
      policy: () =>
        Promise.resolve({ ...rules, computations: [{ runtime: 'auto', signer: author.publicKey }] }),
    });
  }
  const inputOf = (asked: Computation) => {
    const { parameters: _parameters, provisionInput: _input, ...rest } = asked;
    return { ...stage.launch, site: stage.member('a'), computation: rest };
  };

  test('a computation is let in as it was signed, and is refused by name with anything else', async () => {
    const worker = await site();
    const { kit } = await stage.publish(['a']);
    const { name, version } = signed;
    const digest = computationDigest(inputOf(signed).computation);
    stage.sign = (manifest) => ({ ...manifest, computation: { name, version, digest } });
    await worker.do('fetchRunKit', { ...inputOf(signed), kit: kit('a') });
    await worker.do('launchEdgeNode', inputOf(signed));
    expect(started).toMatchObject([{ image: signed.image, command: signed.commands.edge }]);
    const refused: [Computation, string][] = [
      [computation, 'nobody signed it'],
      [await other.sign(computation), `it is signed by ${other.publicKey}`],
      [
        { ...signed, commands: { ...signed.commands, edge: ['sh'] } },
        'its signature does not fit its commands',
      ],
      [{ ...signed, image: `registry.example.org/penguins@${D2}` }, 'its signature does not fit its image'],
    ];
    for (const [asked, why] of refused) {
      // The centre stands for all of it.
      const { folders } = stage.edgeHost('a');
      const launch = { ...stage.launch, launchId: 'otherlaunch1' };
      await folders.addToRecord(launch, { signed: stage.signedTerms(inputOf(asked).computation) });
      const steps = [
        worker.do('fetchRunKit', { ...inputOf(asked), kit: kit('a') }),
        worker.do('launchEdgeNode', { ...inputOf(asked), ...launch }),
      ];
      for (const step of steps)
        expect(await failureOf(step)).toMatchObject({
          type: 'ComputationNotAllowed',
          message: expect.stringMatching(
            new RegExp(`^site\\.yaml: computations: "penguins" has to be signed by .*, and ${why}$`),
          ) as string,
        });
    }
    expect(started).toHaveLength(1);
  });
});
