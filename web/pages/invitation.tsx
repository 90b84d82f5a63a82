/** An invitation, as whoever was given its link opens it: what it gives, and accepting it. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import type { Grants, Me } from '../../workflows/people-contract';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { Alone } from '../parts/alone';
import { Button, Field, Trouble } from '../parts/controls';
import { Skeleton } from '../parts/states';
import { Moment } from '../parts/times';
import { useAction } from '../parts/use-action';
import { mayInWords } from '../people/may-words';
import { NewPassword } from './password';

/** The code stands behind the #, so that it is in no server's log. */
const codeInAddress = () => decodeURIComponent(location.hash.slice(1));

export function AcceptInvitation({ me }: { me: Me | null }) {
  const [code] = useState(codeInAddress);
  const look = useQuery({
    queryKey: ['invitation', code],
    queryFn: () => api.lookAtInvitation({ body: { code } }),
    retry: false,
  });
  if (look.error)
    return (
      <Alone title="This invitation is not good">
        <Trouble>{wordsOf(look.error)}</Trouble>
        <a href="/">To the first page</a>
      </Alone>
    );
  if (!look.data)
    return (
      <Alone title="Your invitation">
        <Skeleton what="The invitation" />
      </Alone>
    );
  const { by, resets, expiresAt, email } = look.data;
  return (
    <Alone title={resets ? 'Set your password anew' : 'You are invited'}>
      {!resets && (
        <>
          <p>{by} invites you to Muster. With it you may:</p>
          <ul className="bullets">
            {whatItGives(look.data).map((gift) => (
              <li key={gift}>{gift}</li>
            ))}
          </ul>
        </>
      )}
      {me && !resets && me.email !== undefined ? (
        <AcceptAs me={me} code={code} />
      ) : (
        <NewAccount code={code} email={email} resets={resets} />
      )}
      <p className="hint">
        It is good until <Moment at={expiresAt} />.
      </p>
    </Alone>
  );
}

function whatItGives(grants: Grants): string[] {
  const gifts = mayInWords(grants);
  return gifts.length > 0 ? gifts : ['Have an account, and found consortia'];
}

/** Somebody who is signed in gets more to do. */
function AcceptAs({ me, code }: { me: Me; code: string }) {
  const { isBusy, problem, run } = useAction();
  return (
    <>
      <Trouble>{problem}</Trouble>
      <Button
        look="primary"
        isPending={isBusy}
        onPress={() =>
          run(async () => {
            await api.acceptInvitation({ body: { code } });
            location.assign('/');
          })
        }
      >
        Accept as {me.name}
      </Button>
    </>
  );
}

interface NewAccountProps {
  code: string;
  email: string | undefined;
  /** Whether it is for an account that is there. */
  resets: boolean;
}

function NewAccount({ code, email, resets }: NewAccountProps) {
  const [name, setName] = useState('');
  const [address, setAddress] = useState(email ?? '');
  const [password, setPassword] = useState('');
  const { isBusy, problem, run } = useAction();
  return (
    <Form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => {
          const body = resets ? { code, password } : { code, name, email: address.trim(), password };
          await api.acceptInvitation({ body });
          location.assign('/');
        });
      }}
    >
      {!resets && (
        <>
          <Field
            label="Your name"
            autoComplete="name"
            isRequired
            autoFocus
            maxLength={120}
            value={name}
            onChange={setName}
            hint="As others see it wherever it says who did something."
          />
          <Field
            label="E-mail"
            type="email"
            autoComplete="username"
            isRequired
            isReadOnly={email !== undefined}
            value={address}
            onChange={setAddress}
          />
        </>
      )}
      <NewPassword value={password} onChange={setPassword} />
      <Trouble>{problem}</Trouble>
      <Button type="submit" look="primary" isPending={isBusy}>
        {resets ? 'Set the password' : 'Make my account'}
      </Button>
    </Form>
  );
}
