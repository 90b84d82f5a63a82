/** An object store for one test file: a bucket of its own on the MinIO of this jest run. */
import { randomBytes } from 'node:crypto';
import { createObjectStore, objectStoreConfigFromEnv, type ObjectStore } from '../../storage/object-store';

/** The settings that processes started by a test need to use {@link testObjectStore}'s bucket. */
export function testObjectStoreEnv(
  bucket = `test-${randomBytes(6).toString('hex')}`,
): Record<string, string> {
  return {
    MINIO_ENDPOINT: process.env.MUSTER_TEST_MINIO_ENDPOINT ?? '',
    MINIO_ACCESS_KEY: process.env.MUSTER_TEST_MINIO_ACCESS_KEY ?? '',
    MINIO_SECRET_KEY: process.env.MUSTER_TEST_MINIO_SECRET_KEY ?? '',
    MINIO_BUCKET: bucket,
  };
}

/** A store whose bucket is new and exists. */
export async function testObjectStore(env = testObjectStoreEnv()): Promise<ObjectStore> {
  const store = createObjectStore(objectStoreConfigFromEnv(env));
  await store.ensureBucket();
  return store;
}
