/** The two files in which an administrator writes what may run on a host: site.yaml, and a central host's computations. */
import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { RULES_OF_RUNS, type SiteRules } from '../activities/edge/site-rules';
import {
  AllowedComputation,
  ContainerRules,
  LogDisclosure,
  ResultDisclosure,
  ResourceCaps,
  type HostPolicy,
} from '../activities/shared/policy';
import { LONGEST_YAML, YamlProblem, readYaml, shortened } from '../client/yaml-text';
import { errorCode } from '../nodes/error-code';
import { SiteId } from '../workflows/contract';
import { SettingsError } from './settings';

/** site.yaml: what a site allows, where its data is, and what may leave it. The descriptions are the reference in docs/site.md. */
export const SiteFile = z.strictObject({
  site: SiteId.describe('The id of the site, as the consortia call it.'),
  gateway: z
    .string('is not set: host:port, as `muster site join` wrote it')
    .regex(/^[^\s/]+:\d+$/, 'must be host:port')
    .describe('How this site reaches the site gateway: host:port, as `muster site join` wrote it.'),
  api: z
    .url({
      protocol: /^https$/,
      error: 'must be an address that begins with https://, as `muster site join` wrote it',
    })
    .describe('How this site reaches the central API: an address that begins with `https://`, likewise.'),
  identity: z
    .string()
    .min(1)
    .default('.')
    .describe('The folder in which `muster site join` wrote who this site is. Absent: where this file is.'),
  reports: z
    .url({ protocol: /^https?$/, error: 'must be an address like https://muster.example.org' })
    .optional()
    .describe('Where nodes may report on themselves. Absent: they cannot.'),
  computations: z
    .array(AllowedComputation)
    .default([])
    .describe('What may run here. What is not named does not run.'),
  datasets: z
    .record(z.string(), z.string().min(1))
    .default({})
    .describe(
      'Where the data is that a consortium calls by this name: a folder, which nodes can read and not change. Relative to this file, or of the root: `penguins: /data/penguins`.',
    ),
  ...RULES_OF_RUNS,
  resources: ResourceCaps.prefault({}).describe(
    'The most that a node may use, whatever its computation asks for. Absent: what it asks for. The process runtime enforces none of it.',
  ),
  containers: ContainerRules.prefault({}).describe(
    'How containers are made. The process runtime isolates nothing.',
  ),
  logs: LogDisclosure.default('on-error').describe(
    "How much of a node's log may leave: nothing; its log once it failed; or all of it, while it runs.",
  ),
  results: ResultDisclosure.default('listed').describe(
    "Whether the names and sizes of a node's results may leave. The results themselves stay here.",
  ),
});
export type SiteFile = z.output<typeof SiteFile>;

const ComputationsFile = z.strictObject({
  computations: z.array(AllowedComputation).default([]),
  resources: ResourceCaps.prefault({}),
});

/** Reads site.yaml; relative folders are taken from where the file is. @throws SettingsError */
export async function readSiteFile(path: string): Promise<SiteFile & SiteRules> {
  return siteRules(path, await textOf(path));
}

/** The rules in `text`, the content of `path`. @throws SettingsError */
export function siteRules(path: string, text: string): SiteFile & SiteRules {
  const file = parse(path, text, SiteFile);
  const from = (folder: string) => resolve(dirname(path), folder);
  return {
    ...file,
    file: 'site.yaml',
    identity: from(file.identity),
    computations: file.computations.map((entry) => withFolder(entry, from)),
    datasets: Object.fromEntries(Object.entries(file.datasets).map(([name, folder]) => [name, from(folder)])),
  };
}

/** Reads a central host's computations. Its own nodes see no patient data, so their logs are not held back. @throws SettingsError */
export async function readComputationsFile(path: string): Promise<HostPolicy> {
  const { computations, resources } = parse(path, await textOf(path), ComputationsFile);
  const from = (folder: string) => resolve(dirname(path), folder);
  return {
    file: 'MUSTER_COMPUTATIONS',
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

/** The content of a file that is not too long to be one of these. @throws SettingsError */
export async function textOf(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const buffer = Buffer.alloc(LONGEST_YAML + 1);
      let length = 0;
      for (let more = -1; more !== 0; length += more)
        more = (await file.read(buffer, length, buffer.length - length)).bytesRead;
      return buffer.toString('utf8', 0, length);
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = errorCode(error) ?? 'unknown reason';
    throw new SettingsError(
      `${path}: ${code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`}`,
    );
  }
}

function parse<T extends z.ZodType>(path: string, text: string, schema: T): z.output<T> {
  const parsed = schema.safeParse(valueOf(path, text));
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path: at, message }) => `/${at.join('/')} ${message}`);
  throw new SettingsError(`${path}: ${shortened(wrong.join('; '))}`);
}

function valueOf(path: string, text: string): unknown {
  try {
    // An empty file is one that sets nothing.
    return readYaml(text).value ?? {};
  } catch (error) {
    if (!(error instanceof YamlProblem)) throw error;
    const [line, column] = error.at?.split(':') ?? [];
    const place = line === undefined ? '' : ` at line ${line}, column ${column ?? ''}`;
    throw new SettingsError(`${path}: ${error.message}${place}`);
  }
}
