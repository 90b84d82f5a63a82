/** What an image is: the same digest wherever it is, whatever it is called there. */
import { randomBytes } from 'node:crypto';
import { connectEngine } from '../../nodes';
import { createHostImages, digestOf } from '../../nodes/image-identity';
import { ensureNodeBase } from '../../nodes/node-base';
import { describeWithEngine } from './needs-engine';

const ID = `sha256:${'0'.repeat(64)}`;
const hub = `python@sha256:${'1'.repeat(64)}`;
const mirror = `registry.example.org:5000/python@sha256:${'2'.repeat(64)}`;

test.each([
  ['a tag that a registry knows', 'python:3.11', [hub, mirror], hub],
  ['the long form of the same', 'docker.io/library/python:3.11', [hub], hub],
  ['a tag of another registry, with a port', 'registry.example.org:5000/python:3.11', [hub, mirror], mirror],
  ['a tag that was built here', 'localhost/mean:1', [], ID],
  ['a name that only this host gave it', 'mean', [hub], ID],
  ['a digest', mirror, [hub], mirror],
  ['a local id', ID, [hub], ID],
])('%s', (_what, reference, digests, expected) => {
  expect(digestOf(reference, ID, digests)).toBe(expected);
});

describeWithEngine('the images of this host', () => {
  const engine = connectEngine();
  const images = createHostImages(engine);
  const repository = `localhost/muster-test-${randomBytes(6).toString('hex')}`;
  let id: string;

  beforeAll(async () => {
    const base = engine.getImage(await ensureNodeBase(engine));
    id = (await base.inspect()).Id;
    await base.tag({ repo: repository, tag: '1' });
  }, 120_000);
  afterAll(() => engine.getImage(`${repository}:1`).remove());

  test('an image that was made here is known by its id', async () => {
    expect(await images.resolve(`${repository}:1`)).toEqual({ digest: id, labels: {} });
    expect(await images.is(`${repository}:1`, id)).toBe(true);
    expect(await images.is(id, id)).toBe(true);
    expect(await images.is(`${repository}:1`, ID)).toBe(false);
  });

  test.each([
    ['a name', `${repository}:2`],
    ['an id', ID],
  ])('what is not there and cannot be had is missing: %s', async (_what, reference) => {
    await expect(images.resolve(reference)).rejects.toMatchObject({ type: 'ImageMissing' });
  });
});
