/** Signing in: by a password, by the OpenID provider, or by a link with an operator's token. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { PAGE_ADDRESSES } from '../../workflows/page-addresses';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { Alone } from '../parts/alone';
import { Button, Field, Trouble } from '../parts/controls';
import { Skeleton } from '../parts/states';
import { useAction } from '../parts/use-action';
import { become, linkRefused } from '../session';
import { wordsOfSignInFailure } from '../sign-in-words';

export function SignIn() {
  const ways = useQuery({ queryKey: ['sign-in'], queryFn: ({ signal }) => api.getSignInWays({ signal }) });
  return (
    <Alone title="Sign in">
      <Trouble>{linkRefused() ? 'The link does not sign you in (any more).' : providerFailure()}</Trouble>
      {ways.data ? (
        <>
          {ways.data.oidc && (
            <a className="button primary" href={providerAddress(ways.data.oidc.path)}>
              Sign in with {ways.data.oidc.name}
            </a>
          )}
          {ways.data.local && <PasswordForm isOnlyWay={ways.data.oidc === undefined} />}
        </>
      ) : ways.error ? (
        <Trouble>{wordsOf(ways.error)}</Trouble>
      ) : (
        <Skeleton what="Ways to sign in" lines={2} />
      )}
      <p className="hint">
        No account yet? Whoever invited you has a link for you. Ask an administrator if it has run out.
      </p>
    </Alone>
  );
}

/** Why the OpenID provider did not sign somebody in who came back from there. */
function providerFailure(): string | undefined {
  const failed = new URLSearchParams(location.search).get('failed');
  return failed === null ? undefined : wordsOfSignInFailure(failed);
}

/** The provider sends people back to the page that they came for. */
function providerAddress(path: string): string {
  const to = location.pathname === PAGE_ADDRESSES.signIn ? '/' : location.pathname + location.search;
  return `${path}?to=${encodeURIComponent(to)}`;
}

function PasswordForm({ isOnlyWay }: { isOnlyWay: boolean }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const { isBusy, problem, run } = useAction();
  return (
    <Form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => {
          const me = await api.signIn({ body: { email: email.trim(), password } });
          if (location.pathname === PAGE_ADDRESSES.signIn) history.replaceState(history.state, '', '/');
          become(me);
        });
      }}
    >
      <Field
        label="E-mail"
        type="email"
        autoComplete="username"
        isRequired
        autoFocus={isOnlyWay}
        value={email}
        onChange={setEmail}
      />
      <Field
        label="Password"
        type="password"
        autoComplete="current-password"
        isRequired
        value={password}
        onChange={setPassword}
      />
      <Trouble>{problem}</Trouble>
      <Button type="submit" look={isOnlyWay ? 'primary' : undefined} isPending={isBusy}>
        {isBusy ? 'Signing in…' : 'Sign in'}
      </Button>
    </Form>
  );
}
