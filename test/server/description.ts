/** The description of the API as it is kept in docs/openapi.json, for tests that look at it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Schema = z.record(z.string(), z.unknown());
const Media = z.object({
  schema: Schema.optional(),
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
});
const Content = z.record(z.string(), Media);
const Response = z.object({ description: z.string(), content: Content.optional() });
const Operation = z.object({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.unknown())).default([]),
  requestBody: z.object({ content: Content }).optional(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        description: z.string().optional(),
        schema: Schema,
        example: z.unknown().optional(),
      }),
    )
    .default([]),
  responses: z.record(z.string(), z.union([z.object({ $ref: z.string() }), Response])),
});
export type Operation = z.output<typeof Operation>;

const Description = z.object({
  openapi: z.string(),
  info: z.object({ version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({
    schemas: z.record(z.string(), Schema),
    responses: z.record(z.string(), Response),
  }),
});
export type Description = z.output<typeof Description>;

export const DOCS = join(__dirname, '../../docs');

export const readDescription = (): Description =>
  Description.parse(JSON.parse(readFileSync(join(DOCS, 'openapi.json'), 'utf8')));

export const operationsIn = ({ paths }: Description): Operation[] =>
  Object.values(paths).flatMap((path) => Object.values(path));

/** The types of problem that a response may have. */
export function typesIn(response: z.output<typeof Response>): string[] {
  const { schema } = response.content?.['application/problem+json'] ?? {};
  const Refused = z.object({
    allOf: z.tuple([
      z.unknown(),
      z.object({ properties: z.object({ type: z.object({ enum: z.array(z.string()) }) }) }),
    ]),
  });
  const Own = z.object({ properties: z.object({ type: z.object({ enum: z.array(z.string()) }) }) });
  const refused = Refused.safeParse(schema);
  if (refused.success) return refused.data.allOf[1].properties.type.enum;
  const own = Own.safeParse(schema);
  return own.success ? own.data.properties.type.enum : [];
}
