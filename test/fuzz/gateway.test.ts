/** Whatever a site sends, and whatever Temporal answers: it is refused, or it is the site's own. */
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { temporal as api } from '@temporalio/proto';
import { z } from 'zod';
import { RequestReader } from '../../server/gateway/grpc';
import { changePayloads, sitePayloadsOf } from '../../server/gateway/payloads';
import { CallFailure } from '../../server/gateway/refusal';
import { MalformedMessage, Wire, each, edit, fieldsOf, number, once } from '../../server/gateway/wire';
import { anyField, anyFields, damaged, write, type WrittenField } from '../server/gateway/protobufs';
import {
  call,
  details,
  expectOwn,
  holder,
  keys,
  names,
  namespace,
  queue,
  readable,
  request,
  scope,
  task,
  taskToken,
  type Name,
} from '../server/gateway/requests';
import { fuzz } from './fuzz';

const { v1 } = api.api.workflowservice;

// ---------------------------------------------------------------- what is sent

/** What a message may turn on: what is of the site, of others, or of nobody. */
const words = fc.oneof(
  fc
    .constantFrom(namespace, 'others', queue.name, 'site.london', 'central', '/_sys/site.boston/1', '')
    .map((word) => Buffer.from(word)),
  fc.constantFrom(taskToken, keys.seal(task, { ...holder, siteId: 'london' }), task.token),
);

/** Messages within messages, with the numbers that fields have. */
const { message: structured } = fc.letrec<{ message: Buffer; field: WrittenField }>((tie) => ({
  message: fc.array(tie('field'), { maxLength: 8 }).map(write),
  field: fc.oneof(
    fc.record({
      number: fc.integer({ min: 1, max: 20 }),
      wire: fc.constant(Wire.bytes),
      value: fc.oneof({ depthSize: 'small' }, words, tie('message')),
    }),
    anyField,
  ),
}));

/** More than anybody nests. */
const nested = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom(2, 49, 52, 300))
  .map(([number, depth]) =>
    Array.from({ length: depth }).reduce<Buffer>(
      (value) => write([{ number, wire: Wire.bytes, value }]),
      Buffer.alloc(0),
    ),
  );

const foreign = (good: Buffer) =>
  Buffer.from(
    good.toString('latin1').replaceAll('boston', 'london').replaceAll('muster', 'others'),
    'latin1',
  );

/** Good ones, those of another site, ones of the right shape and of none; damaged and mixed with each other. */
const like = (good: Buffer) =>
  damaged(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(good, foreign(good)) },
      { weight: 6, arbitrary: structured },
      { weight: 4, arbitrary: anyFields.map(write) },
      { weight: 1, arbitrary: nested },
    ),
  );

// ---------------------------------------------------------------- what becomes of it

function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CallFailure)) expect(error).toBeInstanceOf(MalformedMessage);
    return undefined;
  }
}

fuzz('the fields of a message', { any: like(request('RespondActivityTaskFailed')) }, (bytes) => {
  unlessRefused(() => {
    const looked = { 1: once((content) => content), 2: each((content) => edit(content, {})) };
    expect(edit(bytes, { ...looked, 3: number(() => undefined) })).toBe(bytes);
    const parts = [...fieldsOf(bytes)].map(({ start, end }) => bytes.subarray(start, end));
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  });
});

const requests = names.map((name) => [name, like(request(name)).map((body) => ({ name, body }))] as const);

fuzz(
  'a request of a site',
  {
    ...Object.fromEntries(requests),
    GetSystemInfo: like(Buffer.alloc(0)).map((body) => ({ name: 'GetSystemInfo' as const, body })),
  },
  ({ name, body }: { name: Name | 'GetSystemInfo'; body: Buffer }) => {
    const sent = unlessRefused(() => call(name).check(body, scope).body);
    if (name === 'GetSystemInfo') expect(sent).toEqual(Buffer.alloc(0));
    else if (sent) expectOwn(readable(name, sent));
  },
);

const SEALED = Buffer.from('sealed').toString('base64');
const sealing = sitePayloadsOf({
  encode: (payloads) =>
    Promise.resolve(payloads.map(() => ({ metadata: { encoding: Buffer.from('sealed') }, data: null }))),
  decode: (payloads) => Promise.resolve(payloads),
});

const Payloads = z.array(z.object({ metadata: z.object({ encoding: z.string() }).partial().optional() }));

/** Every payload in a message as it is read. */
function payloadsIn(value: unknown): z.output<typeof Payloads> {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inside]: [string, unknown]) => {
    const isPayloads = key === 'payloads' || key === 'encodedAttributes';
    return isPayloads ? Payloads.parse([inside].flat()) : payloadsIn(inside);
  });
}

fuzz(
  'the payloads in a request',
  Object.fromEntries(requests.filter(([name]) => call(name).sent)),
  async ({ name, body }) => {
    const sealed = changePayloads(body, call(name).sent!, (payloads) =>
      sealing.sealFromSite(payloads, 'boston'),
    );
    const sent = await sealed.catch((error: unknown) =>
      unlessRefused<never>(() => {
        throw error;
      }),
    );
    if (sent)
      for (const { metadata } of payloadsIn(readable(name, sent))) expect(metadata?.encoding).toBe(SEALED);
  },
);

fuzz(
  'an answer of Temporal',
  {
    PollActivityTaskQueue: like(
      Buffer.from(
        v1.PollActivityTaskQueueResponse.encode({
          ...{ taskToken: task.token, activityId: '5', attempt: 3, input: details },
          workflowExecution: { workflowId: 'run-1', runId: 'e' },
          header: { fields: { a: details.payloads[0]! } },
        }).finish(),
      ),
    ).map((answer) => ({ name: 'PollActivityTaskQueue' as const, answer })),
    DescribeNamespace: like(
      Buffer.from(
        v1.DescribeNamespaceResponse.encode({
          namespaceInfo: { name: namespace, id: 'secret', capabilities: { workerHeartbeats: true } },
        }).finish(),
      ),
    ).map((answer) => ({ name: 'DescribeNamespace' as const, answer })),
  },
  async ({ name, answer }: { name: Name; answer: Buffer }) => {
    const { received } = call(name);
    const shown = unlessRefused(() => call(name).answer(answer, scope));
    if (!shown) return;
    if (name === 'DescribeNamespace') expect(shown.includes('secret')).toBe(false);
    if (!received) return;
    const opened = changePayloads(shown, received, (payloads) => sealing.openForSite(payloads, 'boston'));
    await opened.catch((error: unknown) => expect(error).toBeInstanceOf(MalformedMessage));
  },
);

// ---------------------------------------------------------------- how it arrives

const MOST_BYTES = 4_096;

function framed(body: Buffer, packed: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = packed;
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

const arriving = (encoding: string, whole: fc.Arbitrary<Buffer>) =>
  fc.record({ encoding: fc.constant(encoding), whole: damaged(whole), pieces: fc.array(fc.nat(300)) });

fuzz(
  'a call’s message as it arrives',
  {
    plain: arriving(
      'identity',
      anyFields.map((fields) => framed(write(fields), 0)),
    ),
    gzip: arriving(
      'gzip',
      anyFields.map((fields) => framed(gzipSync(write(fields)), 1)),
    ),
    'a bomb': arriving(
      'gzip',
      fc.nat(2 ** 20).map((size) => framed(gzipSync(Buffer.alloc(size)), 1)),
    ),
    deflate: arriving(
      'deflate',
      anyFields.map((fields) => framed(write(fields), 1)),
    ),
  },
  ({ encoding, whole, pieces }) => {
    unlessRefused(() => {
      const reader = new RequestReader(encoding, MOST_BYTES);
      let rest = whole;
      for (const size of pieces) {
        reader.add(rest.subarray(0, size));
        rest = rest.subarray(size);
      }
      reader.add(rest);
      expect(reader.message().length).toBeLessThanOrEqual(MOST_BYTES);
    });
  },
);

fuzz(
  'a task token',
  {
    bytes: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    'bytes behind its head': fc
      .uint8Array({ maxLength: 400 })
      .map((rest) => Buffer.concat([Buffer.from('\x01\x02k1', 'latin1'), rest])),
    damaged: damaged(fc.constantFrom(taskToken, keys.seal(task, { ...holder, siteId: 'london' }))),
  },
  (bytes) => {
    expect(keys.open(bytes, holder)).toEqual(bytes.equals(taskToken) ? task : undefined);
  },
);
