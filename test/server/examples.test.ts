/** Every example in the description is true to its schema, and what people send and get has one. */
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DOCS, operationsIn, readDescription, type Operation } from './description';

const description = readDescription();
const operations = operationsIn(description);
/** Those that a person may call, and whoever signs in. */
const ofPeople = operations.filter(
  ({ security }) => security.length === 0 || security.some((way) => 'session' in way),
);

const Json = z.json();
type Json = z.output<typeof Json>;
const document = Json.parse(JSON.parse(readFileSync(join(DOCS, 'openapi.json'), 'utf8')));
const validator = addFormats(new Ajv2020({ strict: false, logger: false }));
validator.addSchema(z.record(z.string(), Json).parse(document), 'api');

const isObject = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const pointerOf = (path: readonly string[]) =>
  path.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

interface Found {
  /** Of the schema. */
  path: string[];
  example: Json;
}

/** The examples that schemas bring, and those of media types. */
function examplesIn(value: Json, path: string[] = []): Found[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => examplesIn(one, [...path, String(index)]));
  if (!isObject(value)) return [];
  const { examples, example, schema } = value;
  const own: Found[] = Array.isArray(examples) ? examples.map((one) => ({ path, example: one })) : [];
  // Of a media type or a parameter.
  const named = isObject(examples) ? Object.values(examples).map((one) => isObject(one) && one.value) : [];
  const beside: Found[] = isObject(schema)
    ? [...(example === undefined ? [] : [example]), ...named].map((one) => ({
        path: [...path, 'schema'],
        example: one ?? null,
      }))
    : [];
  const inside = Object.entries(value)
    .filter(([key]) => key !== 'examples' && key !== 'example')
    .flatMap(([key, part]) => examplesIn(part, [...path, key]));
  return [...own, ...beside, ...inside];
}

/** Whether a schema, or what it refers to or is a choice of, brings an example. */
function hasExample(schema: Json | undefined): boolean {
  if (!isObject(schema)) return false;
  if (Array.isArray(schema.examples)) return true;
  if (typeof schema.$ref === 'string')
    return hasExample(description.components.schemas[schema.$ref.split('/').at(-1) ?? ''] as Json);
  const { anyOf } = schema;
  return Array.isArray(anyOf) && anyOf.some(hasExample);
}

type Media = NonNullable<Operation['requestBody']>['content'][string];
/** Whether what is sent or got has an example; what is no JSON needs none. */
const isShown = (media: Media | undefined) =>
  media === undefined ||
  media.example !== undefined ||
  media.examples !== undefined ||
  hasExample(media.schema as Json);

describe('examples in the description of the API', () => {
  it('are true to their schemas', () => {
    const found = examplesIn(document);
    expect(found.length).toBeGreaterThan(300);
    const wrong = found.flatMap(({ path, example }) => {
      const validate = validator.compile({ $ref: `api#${pointerOf(path)}` });
      return validate(example) ? [] : [`${pointerOf(path)}: ${validator.errorsText(validate.errors)}`];
    });
    expect(wrong).toEqual([]);
  });

  it('stand with all that people send', () => {
    const without = ofPeople
      .filter(({ requestBody }) => !isShown(requestBody?.content['application/json']))
      .map(({ operationId }) => operationId);
    expect(without).toEqual([]);
  });

  it('stand with all that people get', () => {
    const without = ofPeople.flatMap(({ operationId, responses }) =>
      Object.entries(responses).flatMap(([status, response]) => {
        if ('$ref' in response || !status.startsWith('2')) return [];
        return isShown(response.content?.['application/json']) ? [] : [`${operationId} ${status}`];
      }),
    );
    expect(without).toEqual([]);
  });

  it('stand with what paths, queries and headers take, where it does not say it itself', () => {
    const without = operations.flatMap(({ operationId, parameters }) =>
      parameters
        .filter(({ schema }) => schema.enum === undefined && schema.type === 'string')
        .filter(({ schema, example }) => example === undefined && !hasExample(schema as Json))
        .map(({ name }) => `${operationId} ${name}`),
    );
    expect(without).toEqual([]);
  });
});
