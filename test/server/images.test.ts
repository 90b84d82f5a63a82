/** The image of a computation is looked up on a central host, by a real workflow; what the host says is the test's. */
import { ApplicationFailure } from '@temporalio/common';
import { ComputationRecord } from '../../workflows/api-contract';
import { CENTRAL_QUEUE, type ResolveImageInput } from '../../workflows/contract';
import { problemOf, useServer } from './server';

describe('the image of a computation', () => {
  const server = useServer();
  const digest = `registry.example.org/mean@sha256:${'1'.repeat(64)}`;
  const add = (name: string) =>
    server.call('POST /api/computations', {
      body: { name, version: '1', image: `registry.example.org/${name}:1` },
    });

  it('needs a central worker that looks it up', async () => {
    expect(problemOf(await add('nobody'))).toMatchObject({
      status: 503,
      type: 'urn:muster:problem:no-central-worker',
    });
  });

  describe('on a central host', () => {
    const asked: string[] = [];
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    beforeAll(async () => {
      const { temporal } = server;
      await temporal.startWorker({
        taskQueue: CENTRAL_QUEUE,
        workflowBundle: temporal.workflowBundle,
        activities: {
          resolveImage: async ({ image }: ResolveImageInput) => {
            asked.push(image);
            if (image.includes('missing'))
              throw ApplicationFailure.create({ type: 'ImageMissing', message: `no ${image} here` });
            if (image.includes('large')) await arrived;
            return { digest, labels: { 'org.opencontainers.image.title': 'Mean' } };
          },
        },
      });
    });
    afterAll(() => arrive());

    it('is named by its digest from then on, and its labels are shown', async () => {
      const record = ComputationRecord.parse((await add('pinned')).json());
      expect(record.computation.image).toBe(digest);
      expect(record.image).toEqual({
        reference: 'registry.example.org/pinned:1',
        labels: { 'org.opencontainers.image.title': 'Mean' },
      });
      expect((await add('pinned')).statusCode).toBe(200);
      expect(asked).toEqual(['registry.example.org/pinned:1']);
    });

    it('that cannot be had is a problem of the manifest', async () => {
      expect(problemOf(await add('missing'))).toMatchObject({
        ...{ status: 422, type: 'urn:muster:problem:image-unavailable' },
        detail: 'no registry.example.org/missing:1 here',
        errors: [{ pointer: '/image' }],
      });
    });

    it('that takes long is waited for by asking again', async () => {
      expect(problemOf(await add('large'))).toMatchObject({
        ...{ status: 503, type: 'urn:muster:problem:image-pending' },
      });
      const again = add('large');
      arrive();
      expect((await again).statusCode).toBe(201);
    });
  });
});
