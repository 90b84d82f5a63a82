/**
 * Programs that were written against the API as it was released go on working: its description is held against the released one.
 * A version that breaks some says so by its number (docs/api.md, "What stays as it is").
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DOCS } from '../server/description';
import { describeWithProgram } from '../support/needs-program';
import { installOasdiff, whatBreaks } from '../support/oasdiff';

const INSTALL_MS = 300_000;

const Schema = z.looseObject({
  properties: z.record(z.string(), z.looseObject({ enum: z.array(z.string()).optional() })).default({}),
  required: z.array(z.string()).default([]),
});
const Operation = z.looseObject({
  parameters: z.array(z.looseObject({ name: z.string(), schema: z.looseObject({}) })).optional(),
  responses: z.record(z.string(), z.looseObject({})),
  requestBody: z
    .looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.looseObject({}) })) })
    .optional(),
});
const Description = z.looseObject({
  info: z.looseObject({ version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.looseObject({})) }),
});
type Description = z.output<typeof Description>;

const read = (name: string) => Description.parse(JSON.parse(readFileSync(join(DOCS, name), 'utf8')));

/** A program has to expect to be refused for a reason that it does not know: those of an operation may become more or fewer. */
function withoutRefusals(description: Description): Description {
  const copy = structuredClone(description);
  for (const operation of Object.values(copy.paths).flatMap((path) => Object.values(path)))
    operation.responses = Object.fromEntries(
      Object.entries(operation.responses).filter(([, response]) => !('$ref' in response)),
    );
  return copy;
}

/** Versions between which nothing may break: with the same major number, and before 1.0.0 with the same minor one. */
const lineOf = (version: string) => version.split('.', version.startsWith('0.') ? 2 : 1).join('.');

const now = read('openapi.json');
const released = read('openapi-released.json');

test('the version of the API is that of the package', () => {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(DOCS, '../package.json'), 'utf8')));
  expect(now.info.version).toBe(version);
});

describeWithProgram(['go', 'version'], 'programs that know the released API', () => {
  beforeAll(installOasdiff, INSTALL_MS);

  test('nothing is taken from programs that know the released API, unless the version says so', async () => {
    const breaks =
      lineOf(now.info.version) === lineOf(released.info.version)
        ? await whatBreaks(withoutRefusals(released), withoutRefusals(now))
        : [];
    expect(breaks).toEqual([]);
  });

  /** A part of a description, which a test changes. */
  const operation = (description: Description, method: string, path: string) => {
    const found = description.paths[path]?.[method];
    if (found === undefined) throw new Error(`there is no ${method} ${path}`);
    return found;
  };
  const schema = (description: Description, name: string) =>
    z.looseObject(Schema.shape).parse(description.components.schemas[name]);
  const bodyOf = (description: Description, method: string, path: string) =>
    Schema.parse(operation(description, method, path).requestBody?.content['application/json']?.schema);
  const queryOf = (description: Description, name: string) =>
    operation(description, 'get', '/api/runs').parameters?.find((one) => one.name === name)?.schema ?? {};

  function changeRunView(description: Description, change: (view: z.output<typeof Schema>) => void): void {
    const view = schema(description, 'RunView');
    change(view);
    description.components.schemas.RunView = view;
  }

  test.each<[string, (description: Description) => void]>([
    ['an operation that is gone', ({ paths }) => delete paths['/api/runs']?.get],
    [
      'a parameter that has to be given now',
      (it) =>
        operation(it, 'get', '/api/runs').parameters?.push({
          ...{ name: 'mine', in: 'query', required: true, schema: { type: 'string' } },
        }),
    ],
    ['a parameter that takes less', (it) => Object.assign(queryOf(it, 'consortium'), { maxLength: 5 })],
    [
      'a choice that is gone',
      (it) => Object.assign(queryOf(it, 'state'), { enum: ['running', 'complete', 'failed'] }),
    ],
    [
      'a field that has to be sent now',
      (it) => {
        const body = bodyOf(it, 'post', '/api/me/tokens');
        body.properties.why = { type: 'string' };
        body.required.push('why');
        Object.assign(operation(it, 'post', '/api/me/tokens').requestBody ?? {}, {
          content: { 'application/json': { schema: body } },
        });
      },
    ],
    [
      'a field that is always there and is gone',
      (it) =>
        changeRunView(it, (view) => {
          delete view.properties.startedBy;
          view.required = view.required.filter((name) => name !== 'startedBy');
        }),
    ],
    [
      'a field that may be there and is gone',
      (it) => changeRunView(it, (view) => delete view.properties.stop),
    ],
    [
      'a field of another type',
      (it) => changeRunView(it, (view) => (view.properties.startedBy = { type: 'number' })),
    ],
    [
      'a value that nobody expects',
      (it) => changeRunView(it, (view) => view.properties.state?.enum?.push('thinking')),
    ],
  ])('%s is noticed', async (_what, change) => {
    const changed = withoutRefusals(now);
    change(changed);
    expect(await whatBreaks(withoutRefusals(now), changed)).not.toEqual([]);
  });

  test('what is new breaks nothing', async () => {
    const changed = withoutRefusals(now);
    changeRunView(changed, (view) => (view.properties.mood = { type: 'string' }));
    operation(changed, 'get', '/api/runs').parameters?.push({
      ...{ name: 'mine', in: 'query', required: false, schema: { type: 'string' } },
    });
    changed.paths['/api/mood'] = { get: { operationId: 'getMood', responses: { 204: { description: '' } } } };
    expect(await whatBreaks(withoutRefusals(now), changed)).toEqual([]);
  });
});
