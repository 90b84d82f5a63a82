/** The keys by which tests seal what goes into histories, and how they look into those. */
import { defaultPayloadConverter, type DataConverter, type Payload } from '@temporalio/common';
import { loadSecrets, statePaths } from '../../dev/state';
import { KeyRingText, type NamedKey } from '../../sealing/key-ring';
import { createPayloadCodec, sealedHistories } from '../../sealing/payload-codec';

export const TEST_KEYS: [NamedKey, ...NamedKey[]] = [{ id: 'test', secret: Buffer.alloc(32, 5) }];
/** As MUSTER_PAYLOAD_KEYS. */
export const TEST_KEYS_TEXT = TEST_KEYS.map(
  ({ id, secret }) => `${id}:${secret.toString('base64url')}`,
).join();

export const testCodec = createPayloadCodec(TEST_KEYS);
export const testHistories = sealedHistories(TEST_KEYS);

/** What a history holds, as values. */
export async function opened(
  payloads: readonly Payload[] | null | undefined,
  { payloadCodecs: [codec = testCodec] = [] }: DataConverter = testHistories,
): Promise<unknown[]> {
  const plain = await codec.decode([...(payloads ?? [])]);
  return plain.map((payload) => defaultPayloadConverter.fromPayload<unknown>(payload));
}

/** For clients of the stack in this state folder. */
export async function historiesOf(state: string): Promise<DataConverter> {
  const { payloads } = await loadSecrets(statePaths(state));
  return sealedHistories(KeyRingText.parse(payloads));
}
