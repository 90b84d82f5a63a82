/** The container engine: whether it answers, and what its errors mean. */
import Docker from 'dockerode';
import { z } from 'zod';
import { failure } from '../workflows/errors';
import { errorCode } from './error-code';

/** Creating and starting containers takes long on a busy host, but it does not take minutes. */
const PATIENCE_MS = 120_000;

/** An engine that is not there says so at once; one that builds images beside may be slow to say that it is. */
const PING_PATIENCE_MS = 15_000;

/** The engine that DOCKER_HOST names, or this host's own. */
export const connectEngine = (): Docker => new Docker();

/** Whether a container engine answers. */
export function engineAnswers(engine: Docker = connectEngine()): Promise<boolean> {
  return ask(engine.ping(), PING_PATIENCE_MS).then(
    () => true,
    () => false,
  );
}

const Refusal = z.object({ statusCode: z.int(), message: z.string() });

/** What the engine said no to, and how; `undefined` for any other error. */
export function refusal(error: unknown): { status: number; message: string } | undefined {
  const { data } = Refusal.safeParse(error);
  // dockerode puts the status before the engine's own words.
  return (
    data && { status: data.statusCode, message: data.message.replace(/^\(HTTP code.*?\) .*? - /, '').trim() }
  );
}

/**
 * The engine's answer to a call. dockerode never ends a call whose connection broke in the middle of the answer, so
 * patience has an end.
 * @throws ApplicationFailure `EngineUnavailable` when nobody answers; what the engine refuses is passed on as it is
 */
export async function ask<T>(call: Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(`no answer in ${patienceMs / 1000} s`)), patienceMs);
  });
  try {
    return await Promise.race([call, silence]);
  } catch (error) {
    throw isBrokenConnection(error) ? unavailable(reasonOf(error)) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** The same, with `undefined` for what the engine does not have. */
export async function askFor<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await ask(call);
  } catch (error) {
    if (refusal(error)?.status === 404) return undefined;
    throw error;
  }
}

const BROKEN = [
  'ECONNREFUSED',
  'ENOENT',
  'EACCES',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
];

/** Whether a call failed on its way to the engine or back. */
export const isBrokenConnection = (error: unknown): boolean => BROKEN.includes(errorCode(error) ?? '');

const unavailable = (reason: string) =>
  failure('EngineUnavailable', `The container engine does not answer: ${reason}`);

/** An error's message, with its code where that is all it says. */
export function reasonOf(error: unknown): string {
  const refused = refusal(error);
  if (refused !== undefined) return refused.message;
  if (error instanceof Error && error.message !== '') return error.message;
  return errorCode(error) ?? String(error);
}
