/** The references of files that people write, made from their schemas. */
import { z } from 'zod';
import { SiteFile } from '../../workers/policy-files';
import { Computation } from '../../workflows/contract';

interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  items?: Schema;
  pattern?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
}

const HEADING = '| key | what it takes | default | what it is |\n| --- | --- | --- | --- |';

/** `computation.yaml`, for docs/computations.md. */
export const manifestReference = () => referenceOf(Computation);
/** `site.yaml`, for docs/site.md. */
export const siteReference = () => referenceOf(SiteFile);

/** A Markdown table with a row for each key. */
function referenceOf(type: z.ZodType): string {
  const schema = z.toJSONSchema(type, { io: 'input' }) as Schema;
  return [HEADING, ...rows(schema, '')].join('\n');
}

function rows(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const own = row(path, value, schema.required?.includes(key) === true);
    if (value.items?.properties !== undefined) return [own, ...rows(value.items, `${path}[]`)];
    if (value.properties === undefined) return [own];
    return [...(value.description === undefined ? [] : [own]), ...rows(value, path)];
  });
}

function row(path: string, schema: Schema, isRequired: boolean): string {
  const { description = '', default: otherwise } = schema;
  const standard = isRequired ? '_required_' : otherwise === undefined ? '' : code(otherwise);
  const cells = [`\`${path}\``, typeOf(schema), schema.properties === undefined ? standard : '', description];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

function typeOf({
  type,
  enum: values,
  const: value,
  anyOf,
  items,
  pattern = '',
  properties,
  additionalProperties,
}: Schema): string {
  if (properties !== undefined) return 'object';
  if (values !== undefined) return values.map(code).join(', ');
  if (value !== undefined) return code(value);
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (typeof additionalProperties === 'object' && additionalProperties.type === 'string')
    return 'texts by name';
  if (pattern.includes('Ki')) return 'size: `512Mi`';
  if (pattern.includes('ms')) return 'duration: `20s`, `5m`';
  if (type === 'array') return `list of ${plural(items ?? {})}`;
  return type === 'string' ? 'text' : (type ?? 'anything');
}

const plural = (items: Schema) => (items.enum ? typeOf(items) : `${typeOf(items)}s`);
