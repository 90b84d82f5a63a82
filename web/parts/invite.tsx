/** Inviting a person: a link is made, which is for them and nobody else. */
import { useState, type ReactNode } from 'react';
import { Form } from 'react-aria-components';
import { api } from '../api/api';
import { queries } from '../session';
import { Button, Field, Trouble } from './controls';
import { Copy } from './copy';
import { Moment } from './times';
import { useAction } from './use-action';

interface InviteProps {
  what: string;
  /** What it gives whoever accepts it. */
  gives: Omit<Parameters<typeof api.invite>[0]['body'], 'email'>;
  /** Fields that decide what it gives. */
  children?: ReactNode;
  /** A link was made: the next one is another wish. */
  onMade?: () => void;
}

export function Invite({ what, gives, children, onMade }: InviteProps) {
  const [email, setEmail] = useState('');
  const [made, setMade] = useState<{ link: string; expiresAt: number }>();
  const { isBusy, problem, run } = useAction('Nobody was invited.');
  return (
    <details className="more">
      <summary>{what}</summary>
      <Form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            const address = email.trim();
            setMade(await api.invite({ body: { ...gives, ...(address !== '' && { email: address }) } }));
            setEmail('');
            onMade?.();
            await queries.invalidateQueries({ queryKey: ['people'] });
          });
        }}
      >
        <Field
          label="E-mail (optional)"
          type="email"
          value={email}
          onChange={setEmail}
          hint="Then only an account of this address can accept it."
        />
        {children}
        <Trouble>{problem}</Trouble>
        <Button type="submit" look="primary" isPending={isBusy}>
          Make a link
        </Button>
      </Form>
      {made && (
        <div className="shown-once" role="status">
          <p>
            Give this link to the person, and to nobody else. It is good once, until{' '}
            <Moment at={made.expiresAt} />, and is not shown again.
          </p>
          <Copy text={made.link} what="the link" />
        </div>
      )}
    </details>
  );
}
