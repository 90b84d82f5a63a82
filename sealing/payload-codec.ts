/** What Temporal keeps of a run, sealed before it gets there and opened when it comes back. */
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { KeyRing, keyIdOf, type NamedKeys } from './key-ring';

const ENCODING = 'binary/encrypted';
const SEALED_METADATA = { encoding: Buffer.from(ENCODING) };
const PURPOSE = 'temporal-payload';
const PayloadMessage = temporal.api.common.v1.Payload;

/** For `bundleWorkflowCode`: workflows write failures, too. */
export const FAILURE_CONVERTER = require.resolve('./failure-converter');

/** For every client and worker that has the instance's keys. */
export function sealedHistories(keys: NamedKeys): DataConverter {
  return { payloadCodecs: [createPayloadCodec(keys)], failureConverterPath: FAILURE_CONVERTER };
}

/** A payload that is sealed, and not by a key that is here. */
export class UnreadablePayload extends Error {
  override name = 'UnreadablePayload';
}

/**
 * Seals payloads whole, their metadata with them. Those that are not sealed are passed as they are when they are opened:
 * histories from before still replay.
 */
export function createPayloadCodec(keys: NamedKeys): PayloadCodec {
  const ring = new KeyRing(keys, PURPOSE);
  const ids = keys.map(({ id }) => id);

  const seal = (payload: Payload): Payload => ({
    metadata: SEALED_METADATA,
    data: ring.seal(PayloadMessage.encode(payload).finish()),
  });

  const open = (payload: Payload): Payload => {
    if (!isSealed(payload)) return payload;
    const sealed = payload.data ?? new Uint8Array();
    const opened = ring.open(sealed);
    if (!opened) throw new UnreadablePayload(whyNot(sealed, ids));
    return PayloadMessage.decode(opened);
  };

  return {
    encode: (payloads) => Promise.resolve(payloads.map(seal)),
    decode: async (payloads) => Promise.resolve(payloads.map(open)),
  };
}

function isSealed({ metadata }: Payload): boolean {
  return Buffer.from(metadata?.encoding ?? []).toString() === ENCODING;
}

function whyNot(sealed: Uint8Array, known: readonly string[]): string {
  const id = keyIdOf(sealed);
  if (id === undefined) return 'A payload in the history says that it is sealed, and is not.';
  if (known.includes(id))
    return `A payload in the history names the key ${id}, and the key of that name in MUSTER_PAYLOAD_KEYS does not open it: it was sealed by another instance, or changed.`;
  return `A payload in the history is sealed by the key ${id}, which is not in MUSTER_PAYLOAD_KEYS (${known.join(', ')}): add it behind the others.`;
}
