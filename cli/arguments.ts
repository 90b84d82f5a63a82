/**
 * What commands are given, understood: texts in, checked values out. Every mistake is a
 * UsageError that names the place (file, line, option) in one line.
 */
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { YamlProblem, readYaml, shortened, type YamlText } from '../client/yaml-text';
import { Computation, Parameters, SiteId, type ComputationRef } from '../workflows/contract';
import { messageOf } from './message-of';
import { UsageError } from './usage-error';

/** A site and the folder of its data, as `--site ID=DATADIR` names them. */
export interface SiteArgument {
  id: string;
  folder: string;
}

/** All `--site` options together. */
export function parseSites(values: readonly string[]): SiteArgument[] {
  if (values.length === 0) throw new UsageError('Name at least one site: --site ID=DATADIR.');
  const sites = values.map(parseSite);
  const seen = new Set<string>();
  for (const { id } of sites) {
    if (seen.has(id)) throw new UsageError(`--site ${id} is there twice: every site needs an id of its own.`);
    seen.add(id);
  }
  return sites;
}

function parseSite(value: string): SiteArgument {
  const [, id = '', folder = ''] = /^([^=]*)=(.*)$/s.exec(value) ?? [];
  if (id === '' || folder === '') {
    throw new UsageError(
      `--site ${value} is not of the form ID=DATADIR, such as --site hospital-a=./data/a.`,
    );
  }
  const checked = SiteId.safeParse(id);
  if (!checked.success) throw new UsageError(`--site ${id}: the site's id ${complaint(checked.error)}.`);
  return { id, folder };
}

/** The computation that `text`, the content of `file`, describes. */
export function parseComputation(text: string, file: string): Computation {
  return parseYaml(text, file, Computation);
}

/** The parameters in `text`, JSON or YAML, the content of `file`. */
export function parseParameters(text: string, file: string): Parameters {
  return parseYaml(text, file, Parameters);
}

function parseYaml<Schema extends z.ZodType>(text: string, file: string, schema: Schema): z.output<Schema> {
  const { value, placeOf } = yamlOf(text, file);
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const path = checked.error.issues[0]?.path ?? [];
  const name = path.length === 0 ? '' : `${path.map(String).join('.')}: `;
  throw new UsageError(`${placed(file, placeOf(path))}: ${name}${complaint(checked.error)}`);
}

function yamlOf(text: string, file: string): YamlText {
  try {
    return readYaml(text);
  } catch (error) {
    if (!(error instanceof YamlProblem)) throw error;
    throw new UsageError(`${placed(file, error.at)}: ${error.message}`);
  }
}

const placed = (file: string, at: string | undefined) => (at === undefined ? file : `${file}:${at}`);

function complaint(error: z.ZodError): string {
  const [first, ...others] = error.issues;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `${shortened(first?.message ?? 'is not valid')}${more}`;
}

/** The consortium for trying `computation`, a registered one, at `sites`. */
export function tryConsortium(
  { name, version }: ComputationRef,
  sites: readonly SiteArgument[],
  parameters: Parameters,
) {
  return {
    id: `try-${name}`.slice(0, 40).replace(/-+$/, ''),
    body: {
      name: `Try ${name}`,
      computation: { name, version },
      parameters,
      sites: sites.map(({ id }) => ({ id, name: id, dataset: name })),
      // Whoever can mend a failure sits in front of the terminal.
      windows: { retry: '30s' as const },
    },
  };
}

/** `--param name=value` options together: a value is JSON, or else a text. */
export function parseParams(values: readonly string[]): Parameters {
  const pairs = values.map((one): [string, unknown] => {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(one) ?? [];
    if (name === '') throw new UsageError(`--param ${one} is not of the form NAME=VALUE, such as rounds=5.`);
    return [name, jsonOr(value)];
  });
  const parsed = Parameters.safeParse(Object.fromEntries(pairs));
  if (parsed.success) return parsed.data;
  throw new UsageError(`--param: the parameters ${complaint(parsed.error)}.`);
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A file that a person named. */
export async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}`);
  });
}
