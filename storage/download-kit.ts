/** Downloads a kit by its presigned URL. The store is not trusted: what comes is held against the manifest's digest. */
import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { ApplicationFailure } from '@temporalio/common';
import type { Kit } from '../workflows/contract';
import { failure } from '../workflows/errors';
import { DigestStream } from './digest';
import { reason } from './reason';

export interface DownloadKitInput {
  url: string;
  kit: Kit;
  /** Where it goes, sealed as it is (0600). It is there only when it is whole and right. */
  file: string;
  signal: AbortSignal;
  /** How the store is reached from here; without a word about it, as Node.js reaches anything. */
  fetch?: KitFetch;
}

/** As much of `fetch` as is needed here. */
export type KitFetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; signal: AbortSignal },
) => Promise<{ status: number; body: ReadableStream<Uint8Array> | null }>;

/**
 * Downloads a kit, streaming; stops as soon as more came than the kit has.
 * @throws ApplicationFailure `KitUnavailable` when it cannot be had now, `KitBroken` when it is not what was published;
 * `signal.reason` when aborted
 */
export async function downloadKit(input: DownloadKitInput): Promise<void> {
  const { kit, file, signal } = input;
  const partial = `${file}.part`;
  const digest = new DigestStream();
  try {
    await rm(partial, { force: true });
    const target = (await open(partial, 'wx', 0o600)).createWriteStream();
    await pipeline(incoming(input), digest, target, { signal });
    check(kit, digest);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    signal.throwIfAborted();
    throw error;
  }
}

/** The bytes as they come, no more than the kit has. */
async function* incoming({ url, kit, signal, fetch }: DownloadKitInput): AsyncGenerator<Uint8Array> {
  // Without its query, which is what gives access.
  const [address = ''] = url.split('?');
  let received = 0;
  try {
    for await (const chunk of await request(url, signal, fetch)) {
      received += chunk.length;
      if (received > kit.size) throw broken(kit, `more came than its ${kit.size} bytes`);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof ApplicationFailure) throw error;
    throw failure('KitUnavailable', `The kit ${kit.key} cannot be had from ${address}: ${reason(error)}`);
  }
}

async function request(
  url: string,
  signal: AbortSignal,
  how: KitFetch = fetch,
): Promise<ReadableStream<Uint8Array>> {
  const headers = { 'accept-encoding': 'identity' };
  const response = await how(url, { method: 'GET', headers, signal });
  if (response.status === 200 && response.body !== null) return response.body;
  await response.body?.cancel();
  throw new Error(`HTTP status ${response.status}`);
}

function check(kit: Kit, received: DigestStream): void {
  const { size, sha256 } = received.digest();
  if (size !== kit.size) throw broken(kit, `${size} bytes came and not ${kit.size}`);
  if (sha256 !== kit.sha256) throw broken(kit, `its sha256 is ${sha256} and not ${kit.sha256}`);
}

function broken(kit: Kit, problem: string): ApplicationFailure {
  return failure('KitBroken', `The kit ${kit.key} is not what was published: ${problem}`);
}
