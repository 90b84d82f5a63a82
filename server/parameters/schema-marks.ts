/** Reading a JSON Schema for what it marks `writeOnly`. Pure; a schema that cannot be followed counts as marked. */

type Schema = Readonly<Record<string, unknown>>;

/** Keywords whose schemas are about the same value: lists of schemas, single ones, and such by names. */
const LISTS_IN_PLACE = ['allOf', 'anyOf', 'oneOf'];
const IN_PLACE = ['if', 'then', 'else'];
const NAMED_IN_PLACE = ['dependentSchemas', 'dependencies'];
/** What is looked into below, or makes no schema apply by itself. A mark below any other keyword is of the whole value. */
const FOLLOWED: ReadonlySet<string> = new Set([
  ...LISTS_IN_PLACE,
  ...IN_PLACE,
  ...NAMED_IN_PLACE,
  ...['$ref', '$defs', 'definitions', 'properties', 'patternProperties', 'additionalProperties'],
  ...['unevaluatedProperties', 'prefixItems', 'items', 'additionalItems', 'unevaluatedItems'],
]);
/** Where they lead is known only while a value is validated. */
const DYNAMIC = ['$dynamicRef', '$recursiveRef'];

/** What a schema says of a value, all that may apply to it taken together. */
export interface Said {
  /** `secret`: marked; `public`: neither it nor anything in it can be; `parts`: some of its parts may be. */
  readonly of: 'secret' | 'public' | 'parts';
  /** Of one of its properties; `undefined` where the schema does not describe it. */
  property(name: string): Said | undefined;
  /** Of one of its items, likewise. */
  item(index: number): Said | undefined;
}

/** What a schema, a whole document, says of the values that it is for. One that marks nothing hides nothing. */
export function readMarks(document: Schema): Said {
  return holdsMark(document) ? new Document(document).says([document]) : EVERYTHING_IS_PUBLIC;
}

const EVERYTHING_IS_PUBLIC: Said = {
  of: 'public',
  property: () => EVERYTHING_IS_PUBLIC,
  item: () => EVERYTHING_IS_PUBLIC,
};

class Document {
  /** A part with an id of its own is another document, in which a reference means something else. */
  private readonly isOneDocument: boolean;

  constructor(private readonly root: Schema) {
    this.isOneDocument = !valuesIn(root).some((value) => isObject(value) && holdsId(value));
  }

  says(schemas: readonly unknown[]): Said {
    const applying = this.applying(schemas);
    const marked = applying === undefined || applying.some(isMarked);
    const within = marked || applying.some((schema) => this.leadsToMark(schema));
    const sayOf = (found: readonly unknown[]) => (found.length === 0 ? undefined : this.says(found));
    return {
      of: marked ? 'secret' : within ? 'parts' : 'public',
      property: (name) => sayOf((applying ?? []).flatMap((schema) => schemasOfProperty(schema, name))),
      item: (index) => sayOf((applying ?? []).flatMap((schema) => schemasOfItem(schema, index))),
    };
  }

  /** These schemas, and all that may apply to the same value; `undefined` where that cannot be told. */
  private applying(schemas: readonly unknown[]): Schema[] | undefined {
    const found = new Set<Schema>();
    const left = [...schemas];
    while (left.length > 0) {
      const schema = left.pop();
      if (!isObject(schema) || found.has(schema)) continue;
      found.add(schema);
      if (DYNAMIC.some((keyword) => Object.hasOwn(schema, keyword))) return undefined;
      if (Object.hasOwn(schema, '$ref')) {
        const target = this.resolve(schema.$ref);
        if (target === undefined) return undefined;
        left.push(target);
      }
      left.push(
        ...LISTS_IN_PLACE.flatMap((keyword) => valuesIn(own(schema, keyword))),
        ...IN_PLACE.map((keyword) => own(schema, keyword) ?? true),
        ...NAMED_IN_PLACE.flatMap((keyword) => valuesIn(own(schema, keyword))),
      );
    }
    return [...found];
  }

  /** What `#` or `#/a/place` refers to. */
  private resolve(reference: unknown): unknown {
    if (typeof reference !== 'string' || !this.isOneDocument) return undefined;
    const [, pointer] = /^#((?:\/.*)?)$/s.exec(reference) ?? [];
    if (pointer === undefined) return undefined;
    try {
      return pointer
        .split('/')
        .slice(1)
        .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
        .reduce<unknown>(own, this.root);
    } catch {
      return undefined;
    }
  }

  /** Whether a mark, or what may be one, is anywhere below, or below what it refers to. */
  private leadsToMark(schema: unknown, seen = new Set<unknown>()): boolean {
    if (typeof schema !== 'object' || schema === null || seen.has(schema)) return false;
    seen.add(schema);
    if (isObject(schema)) {
      if (isMarked(schema) || DYNAMIC.some((keyword) => Object.hasOwn(schema, keyword))) return true;
      if (Object.hasOwn(schema, '$ref')) {
        const target = this.resolve(schema.$ref);
        if (target === undefined || this.leadsToMark(target, seen)) return true;
      }
    }
    return valuesIn(schema).some((value) => this.leadsToMark(value, seen));
  }
}

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const valuesIn = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null ? Object.values(value) : [];

const own = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const holdsMark = (value: unknown): boolean =>
  (isObject(value) && hasMark(value)) || valuesIn(value).some(holdsMark);

const holdsId = (value: unknown): boolean =>
  (isObject(value) && Object.hasOwn(value, '$id')) || valuesIn(value).some(holdsId);

const hasMark = (schema: Schema) => Object.hasOwn(schema, 'writeOnly') && schema.writeOnly !== false;

const isMarked = (schema: Schema) =>
  hasMark(schema) ||
  Object.entries(schema).some(([keyword, value]) => !FOLLOWED.has(keyword) && holdsMark(value));

function schemasOfProperty(schema: Schema, name: string): unknown[] {
  const { properties, patternProperties, additionalProperties, unevaluatedProperties } = schema;
  const named = [
    ...(isObject(properties) && Object.hasOwn(properties, name) ? [properties[name]] : []),
    ...Object.entries(isObject(patternProperties) ? patternProperties : {})
      .filter(([pattern]) => new RegExp(pattern, 'u').test(name))
      .map(([, described]) => described),
  ];
  return named.length > 0 ? named : [additionalProperties, unevaluatedProperties].filter(describes);
}

function schemasOfItem(
  { prefixItems, items, additionalItems, unevaluatedItems }: Schema,
  index: number,
): unknown[] {
  const positions = [prefixItems, items].find(Array.isArray);
  if (positions !== undefined && index < positions.length) return [positions[index]];
  return [items, additionalItems, unevaluatedItems].filter(describes);
}

/** `true`, `false` and an empty schema say nothing of what else there may be. */
const describes = (schema: unknown) => isObject(schema) && Object.keys(schema).length > 0;
