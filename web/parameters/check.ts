/**
 * Checks parameters against a computation's JSON Schema without compiling anything from text, which the page's policy forbids; in
 * the form in which the form's library asks for it. The API checks them again. Pure.
 */
import { Validator, type Schema } from '@cfworker/json-schema';
import { toErrorSchema, type RJSFSchema, type RJSFValidationError, type ValidatorType } from '@rjsf/utils';

const DRAFT_7 = /draft-07/;

/** What is wrong with `value`, by place; empty where it fits. */
export function faultsOf(schema: RJSFSchema, value: unknown): { path: string[]; message: string }[] {
  const draft = DRAFT_7.test(schema.$schema ?? '') ? '7' : '2020-12';
  const { errors } = new Validator(schema as Schema, draft, false).validate(value);
  // Of a place within, what holds the place says only that something within is wrong.
  const within = ['properties', 'items', 'prefixItems', 'allOf', '$ref', 'additionalProperties'];
  return errors
    .filter(({ keyword }) => !within.includes(keyword))
    .map(({ instanceLocation, keyword, error }) => {
      const [, missing] = keyword === 'required' ? (/property "([^"]+)"/.exec(error) ?? []) : [];
      const path = instanceLocation.split('/').slice(1).map(unescaped);
      return {
        path: missing === undefined ? path : [...path, missing],
        message: missing === undefined ? error.replace(/^Instance /, 'It ') : 'is needed',
      };
    });
}

const unescaped = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~');

/** The validator of the form. */
export const validator: ValidatorType = {
  isValid: (schema, value, root) => faultsOf({ ...definitionsOf(root), ...schema }, value).length === 0,
  rawValidation: () => ({ errors: [] }),
  validateFormData(value, schema, _customValidate, transformErrors) {
    const found = faultsOf(schema, value).map(({ path, message }): RJSFValidationError => ({
      property: path.length === 0 ? '' : `.${path.join('.')}`,
      message,
      stack: `${path.join('.') || 'The parameters'}: ${message}`,
    }));
    const errors = transformErrors ? transformErrors(found) : found;
    return { errors, errorSchema: toErrorSchema(errors) };
  },
};

const definitionsOf = ({ $defs, definitions, $schema }: RJSFSchema): RJSFSchema => ({
  ...($schema !== undefined && { $schema }),
  ...($defs !== undefined && { $defs }),
  ...(definitions !== undefined && { definitions }),
});
