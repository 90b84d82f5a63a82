/** Choosing a password: at the first sign-in, before anything else, and whenever one likes. */
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { MIN_PASSWORD } from '../../workflows/people-contract';
import { api } from '../api/api';
import { Alone } from '../parts/alone';
import { Button, Field, Trouble } from '../parts/controls';
import { useAction } from '../parts/use-action';
import { become, meQuery, queries } from '../session';

export function FirstPassword() {
  return (
    <Alone title="Choose your password">
      <p>The one that you signed in with was chosen by somebody else. Nothing else is possible before.</p>
      <PasswordForm onDone={() => void queries.invalidateQueries({ queryKey: meQuery.queryKey })} />
      <Button
        look="quiet"
        onPress={() =>
          void api.signOut().then(
            () => become(null),
            () => become(null),
          )
        }
      >
        Sign out
      </Button>
    </Alone>
  );
}

export function PasswordForm({ onDone }: { onDone: () => void }) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const { isBusy, problem, run } = useAction('The password was not changed.');
  return (
    <Form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => {
          await api.changePassword({ body: { current, next } });
          setCurrent('');
          setNext('');
          onDone();
        });
      }}
    >
      <Field
        label="Password now"
        type="password"
        autoComplete="current-password"
        isRequired
        value={current}
        onChange={setCurrent}
      />
      <NewPassword value={next} onChange={setNext} />
      <Trouble>{problem}</Trouble>
      <Button type="submit" look="primary" isPending={isBusy}>
        Change password
      </Button>
    </Form>
  );
}

export function NewPassword({ value, onChange }: { value: string; onChange: (password: string) => void }) {
  return (
    <Field
      label="New password"
      type="password"
      autoComplete="new-password"
      isRequired
      minLength={MIN_PASSWORD}
      value={value}
      onChange={onChange}
      hint={`At least ${MIN_PASSWORD} characters. Several words are good.`}
    />
  );
}
