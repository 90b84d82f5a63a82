/**
 * Where a site's messages carry payloads, and how those are opened for the site and sealed for the histories: a site
 * has no key of the instance, so the gateway does both for it.
 */
import { defaultPayloadConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import { MalformedMessage, bytesField, each, edit, once, type Edits } from './wire';

/** Opens and seals payloads, each an encoded `temporal.api.common.v1.Payload`; answers as many, in the same order. */
export interface SitePayloads {
  openForSite(payloads: Buffer[], siteId: string): Promise<Buffer[]>;
  sealFromSite(payloads: Buffer[], siteId: string): Promise<Buffer[]>;
}

/** The edits that show every payload of a message to `visit`, which answers what to put in its place. */
export type PayloadPlaces = (visit: (payload: Buffer) => Buffer) => Edits;

/** Causes within causes; the SDKs' own limit is below. */
const DEEPEST_CAUSE = 50;
/** A task carries a handful of arguments: more are only made to keep the codec busy. */
const MOST_PAYLOADS = 1_000;
/** As the SDK words it. */
const ENCODED_FAILURE = Buffer.from('Encoded failure');

/**
 * The message with its payloads changed.
 * @throws MalformedMessage, and what `change` throws
 */
export async function changePayloads(
  message: Buffer,
  places: PayloadPlaces,
  change: (payloads: Buffer[]) => Promise<Buffer[]>,
): Promise<Buffer> {
  const found: Buffer[] = [];
  const collect = (payload: Buffer) => {
    if (found.length === MOST_PAYLOADS) throw new MalformedMessage(`more than ${MOST_PAYLOADS} payloads`);
    found.push(payload);
    return payload;
  };
  edit(message, places(collect));
  if (found.length === 0) return message;
  const changed = (await change(found)).values();
  return edit(
    message,
    places(() => {
      const { value, done } = changed.next();
      if (done) throw new Error('a codec must answer as many payloads as it was given');
      return value;
    }),
  );
}

// ---------------------------------------------------------------- places

/** Message fields that came twice are merged by whoever reads them, so each is looked into. */
const inside = (edits: Edits) => each((content) => edit(content, edits));
/** `temporal.api.common.v1.Payloads` */
const payloads = (visit: (payload: Buffer) => Buffer) => inside({ 1: each(visit) });

export const activityTaskPayloads: PayloadPlaces = (visit) => ({
  // A map's entry is a message of key and value; of two values the last counts.
  7: inside({ 1: inside({ 2: once((value) => value && visit(value)) }) }),
  8: payloads(visit),
  9: payloads(visit),
});

/** Heartbeats, completions and cancellations have them at the same place. */
export const resultPayloads: PayloadPlaces = (visit) => ({ 2: payloads(visit) });

export const failedActivityPayloads: PayloadPlaces = (visit) => ({
  2: each((failure) => edit(failure, failureEdits(visit, 0))),
  5: payloads(visit),
});

interface FailureWords {
  message?: string | undefined;
  stack_trace?: string | undefined;
}

/** What a failure says in words becomes a payload, as by the SDK's `encodeCommonAttributes`. */
function failureEdits(visit: (payload: Buffer) => Buffer, depth: number): Edits {
  if (depth > DEEPEST_CAUSE) throw new MalformedMessage(`more than ${DEEPEST_CAUSE} causes`);
  const words: FailureWords = {};
  return {
    1: once((message) => message && ((words.message = message.toString()), ENCODED_FAILURE)),
    3: once((trace) => void (words.stack_trace = trace?.toString())),
    4: each((cause) => edit(cause, failureEdits(visit, depth + 1))),
    5: inside({ 3: payloads(visit) }),
    6: inside({ 2: payloads(visit) }),
    7: inside({ 1: payloads(visit) }),
    10: inside({ 1: payloads(visit) }),
    // Merged from two, metadata of the one would come to the data of the other: neither could be opened again. Where
    // there is none it is made last, when all the words are known.
    20: once((attributes) => {
      const said = attributes ?? payloadOf(words);
      return said && visit(said);
    }),
  };
}

function payloadOf({ message = '', stack_trace = '' }: FailureWords): Buffer | undefined {
  if (message === '' && stack_trace === '') return undefined;
  return encodePayload(defaultPayloadConverter.toPayload({ message, stack_trace }));
}

// ---------------------------------------------------------------- codecs

/** A codec as workers and clients use it, for the payloads of sites. */
export function sitePayloadsOf(codec: PayloadCodec): SitePayloads {
  const through = async (encoded: Buffer[], change: (decoded: Payload[]) => Promise<Payload[]>) =>
    (await change(encoded.map(decodePayload))).map(encodePayload);
  return {
    openForSite: (encoded) => through(encoded, (decoded) => codec.decode(decoded)),
    sealFromSite: (encoded) => through(encoded, (decoded) => codec.encode(decoded)),
  };
}

function decodePayload(encoded: Buffer): Payload {
  const metadata: Record<string, Uint8Array> = {};
  let data: Uint8Array = Buffer.alloc(0);
  edit(encoded, {
    1: each((entry) => {
      let key = '';
      let value: Buffer = Buffer.alloc(0);
      edit(entry, {
        1: once((content) => ((key = content?.toString() ?? ''), content)),
        2: once((content) => ((value = content ?? value), content)),
      });
      Object.defineProperty(metadata, key, { value, enumerable: true, configurable: true, writable: true });
      return entry;
    }),
    2: once((content) => ((data = content ?? data), content)),
  });
  return { metadata, data };
}

function encodePayload({ metadata, data }: Payload): Buffer {
  const entries = Object.entries(metadata ?? {}).map(([key, value]) =>
    bytesField(1, Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, Buffer.from(value))])),
  );
  return Buffer.concat([...entries, bytesField(2, Buffer.from(data ?? []))]);
}
