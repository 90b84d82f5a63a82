/** Reads and checks all that `muster try` is given, before anything is started. */
import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorCode } from '../nodes/error-code';
import type { Computation, Parameters } from '../workflows/contract';
import { parseComputation, parseParameters, parseSites, type SiteArgument } from './arguments';
import { messageOf } from './message-of';
import { UsageError } from './usage-error';

export interface PlanOptions {
  site: readonly string[];
  params?: string | undefined;
}

/** What is to be tried; folders are absolute. */
export interface TryPlan {
  computation: Computation;
  /** Where the computation's file lies: the working directory of its commands as processes. */
  folder: string;
  sites: SiteArgument[];
  parameters: Parameters;
}

/** @throws UsageError for whatever is missing or wrong */
export async function readPlan(file: string, { site, params }: PlanOptions): Promise<TryPlan> {
  const computation = parseComputation(await readText(file), file);
  const sites = parseSites(site).map(({ id, folder }) => ({ id, folder: resolve(folder) }));
  for (const { id, folder } of sites) await checkDataFolder(id, folder);
  const parameters = params === undefined ? {} : parseParameters(await readText(params), params);
  return { computation, folder: dirname(resolve(file)), sites, parameters };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${reason(error)}.`);
  }
}

async function checkDataFolder(site: string, folder: string): Promise<void> {
  try {
    const isFolder = (await stat(folder)).isDirectory();
    if (isFolder) await access(folder, constants.R_OK | constants.X_OK);
    else throw new UsageError(`--site ${site}: ${folder} is not a folder.`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--site ${site}: the data folder ${folder} cannot be read: ${reason(error)}.`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
};

const reason = (error: unknown) => REASONS[errorCode(error) ?? ''] ?? messageOf(error);
