/**
 * Which parameters are secret: those that the computation's JSON Schema marks `writeOnly`. Pure.
 *
 * In a schema that marks something, what is not clearly public stays hidden: a value is shown if the schema describes it and
 * nothing that may apply to it is marked. So a password under a misspelt name is not shown either. Whether a value is valid
 * plays no part, for what is wrong is no less secret.
 */
import type { Computation, Parameters } from '../../workflows/contract';
import { readMarks, type Said } from './schema-marks';

type Schema = Computation['parameters'];
type Json = Parameters[string];

/** Where a secret value is: the names on the way to it. A list with a secret is secret as a whole, so none is an index. */
export type Place = readonly [string, ...string[]];

/** The places of the secret values; none lies in another. */
export function secretPlaces(schema: Schema, parameters: Parameters): Place[] {
  const said = readMarks(schema);
  if (said.of === 'public') return [];
  return Object.entries(parameters).flatMap(([name, value]) => {
    const place = [name] as const;
    return said.of === 'secret' ? [place] : placesIn(said.property(name), value, place);
  });
}

function placesIn(said: Said | undefined, value: Json, place: Place): Place[] {
  if (said === undefined || said.of === 'secret') return [place];
  if (said.of === 'public') return [];
  if (isObject(value))
    return Object.entries(value).flatMap(([name, part]) =>
      placesIn(said.property(name), part, [...place, name]),
    );
  // Only an object can leave some of itself out.
  const isPublic =
    Array.isArray(value) && value.every((item, i) => placesIn(said.item(i), item, place).length === 0);
  return isPublic ? [] : [place];
}

/** The parameters without what is secret. */
export function publicPart(schema: Schema, parameters: Parameters): Parameters {
  return without(parameters, secretPlaces(schema, parameters));
}

/**
 * `given`, with the secret values of `kept` where it leaves them out, so that who was shown the public part can send it back.
 * `null` takes a secret value away, as does leaving out the object that it lies in.
 * @param schema of `given`: only what is secret by it too is taken over
 */
export function withSecretsOf(
  kept: { schema: Schema; parameters: Parameters },
  schema: Schema,
  given: Parameters,
): Parameters {
  const cleared = secretPlaces(schema, given).filter((place) => valueAt(given, place) === null);
  return secretPlaces(kept.schema, kept.parameters)
    .map((place) => ({ place, value: valueAt(kept.parameters, place) }))
    .filter(({ place }) => valueAt(given, place) === undefined)
    .filter(({ place, value }) => value !== undefined && isSecret(schema, place, value))
    .reduce((whole, { place, value }) => withValue(whole, place, value), without(given, cleared));
}

/** Whether all of the value would be secret in this place. */
function isSecret(schema: Schema, place: Place, value: Json): boolean {
  let said: Said | undefined = readMarks(schema);
  for (const name of place) {
    if (said?.of !== 'parts') break;
    said = said.property(name);
  }
  return placesIn(said, value, place).some(({ length }) => length === place.length);
}

const isObject = (value: Json | undefined): value is Parameters =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const without = (parameters: Parameters, places: readonly Place[]) =>
  places.reduce((rest, place) => withValue(rest, place, undefined), parameters);

function valueAt(parameters: Parameters, place: Place): Json | undefined {
  return place.reduce<Json | undefined>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    parameters,
  );
}

/** With this value in the place, or with none; unchanged where there is no object to hold it. */
function withValue(
  parameters: Parameters,
  [name, next, ...further]: Place,
  value: Json | undefined,
): Parameters {
  if (next !== undefined) {
    const part = valueAt(parameters, [name]);
    return isObject(part)
      ? { ...parameters, [name]: withValue(part, [next, ...further], value) }
      : parameters;
  }
  if (value !== undefined) return { ...parameters, [name]: value };
  return Object.fromEntries(Object.entries(parameters).filter(([other]) => other !== name));
}
