/**
 * The object store: kits and results of runs. Only core S3 is used (put with If-None-Match, stat, get, list, delete,
 * presigned GET), so that any S3 server serves.
 */
import { X509Certificate } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { Agent, globalAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { ApplicationFailure } from '@temporalio/common';
import { Client, CopyDestinationOptions, CopySourceOptions } from 'minio';
import { z } from 'zod';
import { failure } from '../workflows/errors';
import { digestBytes, type Digest } from './digest';
import { errorCode, reason } from './reason';

// ---------------------------------------------------------------- settings

const HttpUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.username === '')
    return url;
  context.addIssue('must be an address like http://127.0.0.1:9000, without a path and without credentials');
  return z.NEVER;
});
const Present = z.string('is not set').min(1, 'is empty');

function readCertificates(path: string, context: z.RefinementCtx): string {
  try {
    const pem = readFileSync(path, 'utf8');
    new X509Certificate(pem);
    return pem;
  } catch {
    context.addIssue(`names ${path}, which is no certificate that can be read (PEM)`);
    return z.NEVER;
  }
}

const Environment = z.object({
  MINIO_ENDPOINT: Present.pipe(HttpUrl),
  MINIO_ACCESS_KEY: Present,
  MINIO_SECRET_KEY: Present,
  MINIO_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be 3 to 63 characters a-z, 0-9, . and -')
    .default('muster'),
  MINIO_PUBLIC_ENDPOINT: HttpUrl.optional(),
  MINIO_TLS_CA: Present.transform(readCertificates).optional(),
});

export interface ObjectStoreConfig {
  endpoint: URL;
  accessKey: string;
  secretKey: string;
  bucket: string;
  /** The address that presigned URLs carry, where sites reach the store by another one than this process. */
  publicEndpoint?: URL | undefined;
  /** What the store has to be certified by, PEM; without it, by what this machine trusts. */
  ca?: string | undefined;
}

/**
 * The settings `MINIO_ENDPOINT`, `MINIO_ACCESS_KEY`, `MINIO_SECRET_KEY`, `MINIO_BUCKET`,
 * `MINIO_PUBLIC_ENDPOINT`, `MINIO_TLS_CA`.
 * @throws Error that names each wrong variable, in one line
 */
export function objectStoreConfigFromEnv(
  env: Readonly<Record<string, string | undefined>>,
): ObjectStoreConfig {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
    throw new Error(`Object store settings: ${wrong.join('; ')}`);
  }
  const { data } = parsed;
  return {
    endpoint: data.MINIO_ENDPOINT,
    accessKey: data.MINIO_ACCESS_KEY,
    secretKey: data.MINIO_SECRET_KEY,
    bucket: data.MINIO_BUCKET,
    publicEndpoint: data.MINIO_PUBLIC_ENDPOINT,
    ca: data.MINIO_TLS_CA,
  };
}

// ---------------------------------------------------------------- the store

/** A file on disk whose digest is known. */
export interface DigestedFile extends Digest {
  path: string;
}
export interface StoredObject {
  key: string;
  size: number;
}
export interface ObjectStat extends StoredObject {
  /** Known of objects that {@link ObjectStore.putOnce} wrote. */
  sha256: string | undefined;
  /** By the store's clock, to the second. */
  lastModified: Date;
}

/** Every method throws `KitUnavailable` when the store cannot be reached or refuses. */
export interface ObjectStore {
  readonly bucket: string;
  /** Makes the bucket unless it exists; safe to call from many processes at once. */
  ensureBucket(): Promise<void>;
  /**
   * Writes an object unless there is one. `exists`: the same content was there already.
   * @throws ApplicationFailure `KitBroken` when the key holds other content
   */
  putOnce(key: string, content: DigestedFile | Buffer): Promise<'written' | 'exists'>;
  /**
   * Writes the object `from`, whose digest is known, under another key as well; the store does so by itself.
   * @throws ApplicationFailure `KitBroken` when the key holds other content
   */
  copyOnce(from: string, to: string, digest: Digest): Promise<void>;
  stat(key: string): Promise<ObjectStat | undefined>;
  /** A URL that anyone may read the object by, for `seconds`. */
  presignGet(key: string, seconds: number): Promise<string>;
  getStream(key: string): Promise<Readable>;
  /**
   * All objects below `prefix`, which is taken as a folder: `runs/a` does not mean `runs/ab/...`; in the order of their
   * keys, with `after` only those that follow this key.
   */
  list(prefix: string, after?: string): Promise<StoredObject[]>;
  /** Removes all objects below `prefix`, as {@link list} understands it; answers how many. */
  removePrefix(prefix: string): Promise<number>;
}

/** The most that one PUT may carry in S3; a conditional upload is one PUT. */
export const MAX_OBJECT_BYTES = 5 * 2 ** 30;
/** A larger upload first asks whether the object is there: it would be sent in vain. */
const ASK_FIRST_BYTES = 2 ** 20;
const SHA256_HEADER = 'x-amz-meta-sha256';

/** An object store; nothing is contacted before the first call. */
export function createObjectStore(config: ObjectStoreConfig): ObjectStore {
  const { bucket, endpoint } = config;
  const client = connect(config, endpoint);

  /** Runs a call to the store; what goes wrong with it is a failure that is tried again. */
  async function call<T>(what: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (error instanceof ApplicationFailure) throw error;
      throw failure('KitUnavailable', `Object store ${endpoint.host}: cannot ${what}: ${reason(error)}`);
    }
  }

  const stat = (key: string) =>
    call(`look at ${key}`, async (): Promise<ObjectStat | undefined> => {
      try {
        const { size, metaData, lastModified } = await client.statObject(bucket, key);
        const { sha256 } = z.object({ sha256: z.string() }).safeParse(metaData).data ?? {};
        return { key, size, sha256, lastModified };
      } catch (error) {
        if (hasCode(error, 'NotFound', 'NoSuchKey')) return undefined;
        throw error;
      }
    });

  async function sameContent(key: string, digest: Digest): Promise<boolean> {
    const found = await stat(key);
    if (found === undefined) return false;
    if (found.sha256 === digest.sha256 && found.size === digest.size) return true;
    throw failure('KitBroken', `Object store ${endpoint.host}: ${key} already holds other content`);
  }

  /**
   * minio-js sends `If-None-Match` only with uploads that it first reads into memory (up to 64 MiB) and drops it from
   * its multipart uploads. So the PUT is made here, with the client's signing: one request, streamed, whose digest
   * the server checks. With https the connection protects the body, and minio-js wants no digest.
   */
  async function putIfAbsent(
    key: string,
    body: Readable | Buffer,
    { sha256, size }: Digest,
  ): Promise<boolean> {
    const headers = {
      'Content-Length': size,
      'Content-Type': 'application/octet-stream',
      'If-None-Match': '*',
      [SHA256_HEADER]: sha256,
    };
    const request = { method: 'PUT', bucketName: bucket, objectName: key, headers };
    const signedDigest = endpoint.protocol === 'https:' ? '' : sha256;
    try {
      const response = await client.makeRequestStreamAsync(request, body, signedDigest, [200], '');
      response.resume();
      return true;
    } catch (error) {
      if (hasCode(error, 'PreconditionFailed')) return false;
      throw error;
    }
  }

  async function putOnce(key: string, content: DigestedFile | Buffer): Promise<'written' | 'exists'> {
    const inMemory = Buffer.isBuffer(content);
    const digest = inMemory ? digestBytes(content) : content;
    if (digest.size > ASK_FIRST_BYTES && (await sameContent(key, digest))) return 'exists';
    return call(`write ${key}`, async () => {
      const body = inMemory ? content : createReadStream(content.path);
      if (await putIfAbsent(key, body, digest)) return 'written';
      if (await sameContent(key, digest)) return 'exists';
      throw new Error('it was removed meanwhile');
    });
  }

  async function copyOnce(from: string, to: string, digest: Digest): Promise<void> {
    if (await sameContent(to, digest)) return;
    await call(`copy ${from}`, () =>
      client.copyObject(
        new CopySourceOptions({ Bucket: bucket, Object: from }),
        new CopyDestinationOptions({ Bucket: bucket, Object: to }),
      ),
    );
  }

  const list = (prefix: string, after?: string) =>
    call(`list ${prefix}`, async () => {
      const found: StoredObject[] = [];
      const items: AsyncIterable<unknown> = client.listObjectsV2(bucket, asFolder(prefix), true, after);
      for await (const item of items) {
        const { name, size } = ListedObject.parse(item);
        found.push({ key: name, size });
      }
      return found;
    });

  async function removePrefix(prefix: string): Promise<number> {
    const keys = (await list(prefix)).map((object) => object.key);
    await call(`remove ${prefix}`, async () => {
      const [refused] = RefusedRemovals.parse(await client.removeObjects(bucket, keys));
      if (refused !== undefined) throw new Error(`${refused.Key}: ${refused.Code}`);
    });
    return keys.length;
  }

  async function presignGet(key: string, seconds: number): Promise<string> {
    return call(`presign ${key}`, async () => {
      if (config.publicEndpoint === undefined) return client.presignedGetObject(bucket, key, seconds);
      // Named here, so that nothing is asked of the public address, which this process may not reach.
      const region = await client.getBucketRegionAsync(bucket);
      return connect(config, config.publicEndpoint, region).presignedGetObject(bucket, key, seconds);
    });
  }

  return {
    bucket,
    ensureBucket: () =>
      call(`make the bucket ${bucket}`, async () => {
        if (await client.bucketExists(bucket)) return;
        await client.makeBucket(bucket).catch((error: unknown) => {
          if (!hasCode(error, 'BucketAlreadyOwnedByYou')) throw error;
        });
      }),
    putOnce,
    copyOnce,
    stat,
    presignGet,
    getStream: (key) => call(`read ${key}`, () => client.getObject(bucket, key)),
    list,
    removePrefix,
  };
}

const ListedObject = z.object({ name: z.string(), size: z.number() });
const RefusedRemovals = z.array(z.object({ Key: z.string(), Code: z.string() }));

function connect(config: ObjectStoreConfig, url: URL, region?: string): Client {
  return new Client({
    endPoint: url.hostname.replace(/^\[|\]$/g, ''),
    ...(url.port !== '' && { port: Number(url.port) }),
    useSSL: url.protocol === 'https:',
    ...(config.ca !== undefined &&
      url.protocol === 'https:' && {
        transportAgent: new Agent({ ...globalAgent.options, ca: config.ca }),
      }),
    accessKey: config.accessKey,
    secretKey: config.secretKey,
    ...(region !== undefined && { region }),
    // A streamed body cannot be sent twice; whoever calls tries again.
    retryOptions: { disableRetry: true },
  });
}

function asFolder(prefix: string): string {
  if (prefix === '') throw new Error('the prefix is empty');
  return prefix.endsWith('/') ? prefix : `${prefix}/`;
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  const code = errorCode(error);
  return code !== undefined && codes.includes(code);
}
