/** Checks a run's parameters against its computation's JSON Schema (2020-12, or draft-07 where the schema says so). */
import Ajv, { type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import type { Computation, Parameters } from '../../workflows/contract';
import { secretPlaces } from '../parameters/secret-places';
import { HttpProblem, jsonPointer, type Place } from '../problem';

/** Schemas may hold what only their authors' tools know; defaults are the computation's business. */
const options: Options = { strict: false, allErrors: true, logger: false };

/**
 * Compiled schemas by their text. Each has a validator of its own, for two schemas may use one `$id`; that takes tens of
 * milliseconds, which is too long for every start of a run.
 */
const compiled = new Map<string, ValidateFunction>();
const MAX_COMPILED = 200;

function compile(schema: Computation['parameters']): ValidateFunction {
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known) return known;
  const { $schema } = schema;
  const draft7 = typeof $schema === 'string' && $schema.includes('draft-07');
  const validate = addFormats(draft7 ? new Ajv(options) : new Ajv2020(options)).compile(schema);
  const [oldest] = compiled.keys();
  if (compiled.size >= MAX_COMPILED && oldest !== undefined) compiled.delete(oldest);
  compiled.set(text, validate);
  return validate;
}

/**
 * Checks that a computation's schema of its parameters can be used.
 * @throws HttpProblem `invalid-computation`
 */
export function checkSchema(computation: Computation): void {
  try {
    compile(computation.parameters);
  } catch (error) {
    const detail = `is not a usable JSON Schema: ${error instanceof Error ? error.message : String(error)}`;
    throw new HttpProblem('invalid-computation', `The schema of the parameters ${detail}`, [
      { pointer: '/parameters', detail },
    ]);
  }
}

/**
 * Checks parameters; `whose` names them in the problem, which points at every one that is wrong.
 * @throws HttpProblem `invalid-parameters`
 */
export function checkParameters(computation: Computation, parameters: Parameters, whose: string): void {
  checkSchema(computation);
  const validate = compile(computation.parameters);
  if (validate(parameters)) return;
  const secrets = secretPlaces(computation.parameters, parameters).map(
    (place) => `/parameters${jsonPointer(place)}`,
  );
  const places = (validate.errors ?? [])
    .map(placeOf)
    .map((place) => ({ ...place, pointer: within(secrets, place) }));
  const summary = places.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ');
  throw new HttpProblem('invalid-parameters', `${whose} do not fit ${computation.name}: ${summary}`, places);
}

/** Where an error is, but nothing of what is inside a secret value, where names may be secret too. */
const within = (secrets: readonly string[], { pointer }: Place) =>
  secrets.find((secret) => pointer.startsWith(`${secret}/`)) ?? pointer;

/** The property that is missing, or should not be there, where an error is about one. */
const Named = z.union([
  z.object({ missingProperty: z.string() }).transform(({ missingProperty }) => missingProperty),
  z.object({ additionalProperty: z.string() }).transform(({ additionalProperty }) => additionalProperty),
  z.object({ unevaluatedProperty: z.string() }).transform(({ unevaluatedProperty }) => unevaluatedProperty),
]);

function placeOf({ instancePath, params, message = 'is wrong' }: ErrorObject): Place {
  const named = Named.safeParse(params);
  const property = named.success ? jsonPointer([named.data]) : '';
  return { pointer: `/parameters${instancePath}${property}`, detail: message };
}
