/** The two files in which an administrator writes what may run on a host: site.yaml, and a central host's computations. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import {
  AllowedComputation,
  LogDisclosure,
  ResultDisclosure,
  ResourceCaps,
  type HostPolicy,
} from '../activities/shared/policy';
import { errorCode } from '../nodes/error-code';
import { SiteId } from '../workflows/contract';
import { SettingsError } from './settings';

/** site.yaml: what a site allows, where its data is, and what may leave it. */
export const SiteFile = z.strictObject({
  site: SiteId,
  /** How this site reaches the site gateway, and the API. */
  gateway: z
    .string('is not set: host:port, as `muster site join` wrote it')
    .regex(/^[^\s/]+:\d+$/, 'must be host:port'),
  api: z.url({
    protocol: /^https$/,
    error: 'must be an address that begins with https://, as `muster site join` wrote it',
  }),
  /** The folder in which `muster site join` wrote who this site is; without it, where this file is. */
  identity: z.string().min(1).default('.'),
  /** Where nodes may report on themselves; without it they cannot. */
  reports: z
    .url({ protocol: /^https?$/, error: 'must be an address like https://muster.example.org' })
    .optional(),
  computations: z.array(AllowedComputation).default([]),
  datasets: z.record(z.string(), z.string().min(1)).default({}),
  resources: ResourceCaps.prefault({}),
  logs: LogDisclosure.default('on-error'),
  results: ResultDisclosure.default('listed'),
});
export type SiteFile = z.output<typeof SiteFile>;

const ComputationsFile = z.strictObject({
  computations: z.array(AllowedComputation).default([]),
  resources: ResourceCaps.prefault({}),
});

/** Reads site.yaml; relative folders are taken from where the file is. @throws SettingsError */
export async function readSiteFile(path: string): Promise<SiteFile> {
  const file = await read(path, SiteFile);
  const from = (folder: string) => resolve(dirname(path), folder);
  return {
    ...file,
    identity: from(file.identity),
    computations: file.computations.map((entry) => withFolder(entry, from)),
    datasets: Object.fromEntries(Object.entries(file.datasets).map(([name, folder]) => [name, from(folder)])),
  };
}

/** Reads a central host's computations. Its own nodes see no patient data, so their logs are not held back. @throws SettingsError */
export async function readComputationsFile(path: string): Promise<HostPolicy> {
  const { computations, resources } = await read(path, ComputationsFile);
  const from = (folder: string) => resolve(dirname(path), folder);
  return {
    computations: computations.map((entry) => withFolder(entry, from)),
    resources,
    logs: 'stream',
    results: 'listed',
    datasets: {},
  };
}

function withFolder(entry: AllowedComputation, from: (folder: string) => string): AllowedComputation {
  return entry.folder === undefined ? entry : { ...entry, folder: from(entry.folder) };
}

async function read<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const code = errorCode(error) ?? 'unknown reason';
    throw new SettingsError(
      `${path}: ${code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`}`,
    );
  });
  const parsed = schema.safeParse(yaml(path, text));
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path: at, message }) => `/${at.join('/')} ${message}`);
  throw new SettingsError(`${path}: ${wrong.join('; ')}`);
}

function yaml(path: string, text: string): unknown {
  try {
    // An empty file is one that sets nothing.
    return parseYaml(text) ?? {};
  } catch (error) {
    const [firstLine = ''] = String(error instanceof Error ? error.message : error).split('\n');
    throw new SettingsError(`${path}: ${firstLine}`);
  }
}
