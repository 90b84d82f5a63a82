/** A form for a computation's parameters, drawn from its JSON Schema. */
import Form from '@rjsf/core';
import type { IconButtonProps, RJSFSchema, WidgetProps } from '@rjsf/utils';
import { useMemo, useRef, useState } from 'react';
import { Parameters } from '../../workflows/contract';
import { read } from '../api/errors';
import { Button, Trouble } from '../parts/controls';
import { useFocusInFirstField } from '../parts/focus';
import { useAction } from '../parts/use-action';
import { validator } from './check';
import { fieldsOf, isKept } from './places';

type Values = Record<string, unknown>;

interface ParameterFormProps {
  schema: RJSFSchema;
  parameters: Parameters;
  /** Where there are values that are not shown, as JSON pointers. */
  secrets: readonly string[];
  onSave: (parameters: Parameters) => Promise<void>;
  onCancel: () => void;
}

export function ParameterForm({ schema, parameters, secrets, onSave, onCancel }: ParameterFormProps) {
  const [values, setValues] = useState<Values>(parameters);
  const { isBusy, problem, run } = useAction('The parameters were not changed.');
  const fields = useMemo(() => fieldsOf(schema, secrets), [schema, secrets]);
  const place = useRef<HTMLDivElement>(null);
  useFocusInFirstField(place);
  // What the form asks for by itself, a browser would refuse where a secret is kept.
  return (
    <div ref={place} className="parameter-form">
      <Form<Values>
        className="schema-form"
        schema={schema}
        uiSchema={{ ...fields, 'ui:title': '' }}
        formData={values}
        validator={validator}
        widgets={{ secret: Secret }}
        templates={{ ButtonTemplates: BUTTONS }}
        noHtml5Validate
        showErrorList={false}
        focusOnFirstError
        transformErrors={(errors) => errors.filter(({ property }) => !isKept(property, secrets))}
        onChange={({ formData }) => setValues(formData ?? {})}
        onSubmit={({ formData }) => run(() => onSave(read(Parameters, 'parameters', formData ?? {})))}
      >
        <Trouble>{problem}</Trouble>
        <div className="actions">
          <Button type="submit" look="primary" isPending={isBusy}>
            Save the parameters
          </Button>
          <Button onPress={onCancel}>Leave them as they are</Button>
        </div>
      </Form>
    </div>
  );
}

const named =
  (name: string) =>
  ({ id, disabled, onClick }: IconButtonProps) => (
    <button type="button" id={id} className="button quiet" disabled={disabled} onClick={onClick}>
      {name}
    </button>
  );

/** What the library has signs for, in words. */
const BUTTONS = {
  AddButton: named('Add'),
  RemoveButton: named('Remove'),
  MoveUpButton: named('Up'),
  MoveDownButton: named('Down'),
};

/** A value that is taken, and shown to nobody. One that is kept stays, unless it is replaced or taken away: that is `null`. */
function Secret({ id, label, value, required, disabled, options, onChange }: WidgetProps) {
  const isKept = options['kept'] === true;
  if (value === null)
    return (
      <p className="secret">
        <span role="status">It is taken away when you save.</span>
        <Button look="quiet" aria-label={`Keep ${label}`} onPress={() => onChange(undefined)}>
          Keep
        </Button>
      </p>
    );
  return (
    <div className="secret">
      <input
        id={id}
        type="password"
        className="form-control"
        autoComplete="off"
        required={required && !isKept}
        disabled={disabled}
        value={typeof value === 'string' ? value : ''}
        placeholder={isKept ? 'kept: write here to replace it' : ''}
        onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
      />
      {isKept && !required && (
        <Button look="quiet" aria-label={`Take away ${label}`} onPress={() => onChange(null)}>
          Take away
        </Button>
      )}
    </div>
  );
}
