/** Asks for an access token where there is none, or none that the API accepts. */
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { Button, Field, Trouble } from '../parts/controls';
import { useTitle } from '../parts/title';
import { keepToken } from '../session';

/** `refused`: the token that was there is not accepted. */
export function AccessForm({ refused }: { refused: boolean }) {
  const [token, setToken] = useState('');
  useTitle(undefined);
  return (
    <main id="main">
      <section className="message">
        <h1>Your access</h1>
        <Trouble>
          {refused ? 'The API does not accept this access token. It may have expired.' : undefined}
        </Trouble>
        <Form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            keepToken(token.trim());
          }}
        >
          <Field
            label="Access token"
            type="password"
            autoComplete="off"
            isRequired
            autoFocus
            value={token}
            onChange={setToken}
            hint="Paste the token that you were given. It stays in this browser tab only."
          />
          <Button type="submit" look="primary">
            Continue
          </Button>
        </Form>
      </section>
    </main>
  );
}
