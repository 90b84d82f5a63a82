/** How a computation's parameters are asked for: which of them are secret, and what is kept of those. Pure. */
import type { RJSFSchema, UiSchema } from '@rjsf/utils';

const isSchema = (value: unknown): value is RJSFSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Says to the form which fields are secret, and of which a value is kept; `secrets` are JSON pointers. */
export function fieldsOf(schema: RJSFSchema, secrets: readonly string[], at = ''): UiSchema {
  const fields: UiSchema = {};
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    if (!isSchema(part)) continue;
    const pointer = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    fields[name] =
      part.writeOnly === true
        ? { 'ui:widget': 'secret', 'ui:options': { kept: secrets.includes(pointer) } }
        : fieldsOf(part, secrets, pointer);
  }
  return fields;
}

/** What is wrong, without what is only missing because it is kept and not shown. */
export const isKept = (property: string | undefined, secrets: readonly string[]): boolean =>
  property !== undefined && secrets.some((pointer) => property === pointer.replaceAll('/', '.'));
