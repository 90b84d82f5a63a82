/** The reference of `computation.yaml` in docs/computations.md, made from its schema. */
import { z } from 'zod';
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
  required?: string[];
}

const HEADING = '| key | what it takes | default | what it is |\n| --- | --- | --- | --- |';

/** A Markdown table with a row for each key. */
export function manifestReference(): string {
  const schema = z.toJSONSchema(Computation, { io: 'input' }) as Schema;
  return [HEADING, ...rows(schema, '')].join('\n');
}

function rows(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const own = row(path, value, schema.required?.includes(key) === true);
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
}: Schema): string {
  if (properties !== undefined) return 'object';
  if (values !== undefined) return values.map(code).join(', ');
  if (value !== undefined) return code(value);
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (pattern.includes('Ki')) return 'size: `512Mi`';
  if (pattern.includes('ms')) return 'duration: `20s`, `5m`';
  if (type === 'array') return `list of ${typeOf(items ?? {})}s`;
  return type === 'string' ? 'text' : (type ?? 'anything');
}
