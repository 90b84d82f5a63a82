/** Reads errors of libraries and of the system. */
import { types } from 'node:util';

/**
 * What an error says happened, in a few words. An error that only wraps another gives way to it, and an error without
 * a message (several addresses were tried) to its code.
 */
export function reason(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  if (types.isNativeError(error.cause)) return reason(error.cause);
  return error.message === '' ? (errorCode(error) ?? error.name) : error.message;
}

/** The code of a system, network or S3 error. */
export function errorCode(error: unknown): string | undefined {
  const hasCode = types.isNativeError(error) && 'code' in error;
  return hasCode && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether an error is trouble with this machine's files or network, and not with what was in them. */
export const isOfThisMachine = (error: unknown): boolean => types.isNativeError(error) && 'syscall' in error;
