/** One's own account: who one is, sessions, tokens for programs, the password. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { SCOPES, type Scope } from '../../workflows/people-contract';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { MyNotices } from '../notices/my-notices';
import { Act } from '../parts/act';
import { Button, Choice, Field, OneOf, Trouble } from '../parts/controls';
import { Copy } from '../parts/copy';
import { Section, Table } from '../parts/section';
import { Skeleton } from '../parts/states';
import { Moment } from '../parts/times';
import { Hero, useTitle } from '../parts/title';
import { useAction } from '../parts/use-action';
import { mayInWords } from '../people/may-words';
import { become, queries, useMe } from '../session';
import { PasswordForm } from './password';

export function MePage() {
  const me = useMe();
  useTitle('Your account');
  return (
    <>
      <Hero title={me.name} sub={me.email ?? 'An operator, who has no account'}>
        <SignOut />
      </Hero>
      <section className="card" aria-labelledby="may">
        <h2 id="may">What you may do</h2>
        <ul className="bullets">
          {mayInWords(me).map((words) => (
            <li key={words}>{words}</li>
          ))}
          {!me.admin && <li>Found new consortia</li>}
        </ul>
      </section>
      {me.via === 'session' && me.email !== undefined && (
        <>
          <MyNotices email={me.email} />
          <Sessions />
          <Tokens />
          {me.hasPassword && <Password />}
        </>
      )}
    </>
  );
}

function SignOut() {
  const { isBusy, problem, run } = useAction();
  return (
    <>
      <Trouble>{problem}</Trouble>
      <Button
        isPending={isBusy}
        onPress={() =>
          run(async () => {
            await api.signOut();
            history.replaceState(null, '', '/');
            become(null);
          })
        }
      >
        Sign out
      </Button>
    </>
  );
}

const SESSIONS = ['me', 'sessions'];
const TOKENS = ['me', 'tokens'];

function Sessions() {
  const { data, error } = useQuery({
    queryKey: SESSIONS,
    queryFn: ({ signal }) => api.listSessions({ signal }),
  });
  return (
    <Section title="Where you are signed in">
      <Trouble>{error ? wordsOf(error) : undefined}</Trouble>
      {!data && !error && <Skeleton what="Sessions" />}
      {data && (
        <Table
          columns={['Browser', 'Address', 'Since', 'Last seen', '']}
          rows={data.sessions}
          keyOf={({ id }) => id}
          empty="You are signed in nowhere."
          cells={({ id, agent, current, address, createdAt, seenAt }) => [
            <>
              {browserName(agent)}
              {current && <span className="hint">this one</span>}
            </>,
            address,
            <Moment at={createdAt} />,
            <Moment at={seenAt} />,
            !current && (
              <Act
                look="quiet"
                act={async () => {
                  await api.endSession({ path: { id } });
                  await queries.invalidateQueries({ queryKey: SESSIONS });
                }}
              >
                Sign out there
              </Act>
            ),
          ]}
        />
      )}
    </Section>
  );
}

/** By what a browser tells itself apart; those that also call themselves by the name of another come first. */
const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;

/** What people call the browser that calls itself `agent`. */
function browserName(agent: string): string {
  const [, name] = BROWSERS.find(([mark]) => agent.includes(mark)) ?? [];
  const [, system] = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(agent) ?? [];
  return [name ?? (agent === '' ? 'Unknown' : agent.slice(0, 60)), system && `on ${system}`]
    .filter(Boolean)
    .join(' ');
}

const SCOPE_WORDS: Record<Scope, { name: string; about: string }> = {
  read: { name: 'Look', about: 'Reads what you may see, and changes nothing.' },
  run: { name: 'Runs', about: 'Also starts, stops and retries runs.' },
  all: { name: 'Everything', about: 'Does whatever you may do.' },
};

function Tokens() {
  const { data, error } = useQuery({ queryKey: TOKENS, queryFn: ({ signal }) => api.listTokens({ signal }) });
  return (
    <Section title="Tokens for programs">
      <Trouble>{error ? wordsOf(error) : undefined}</Trouble>
      {!data && !error && <Skeleton what="Tokens" />}
      {data && (
        <Table
          columns={['Name', 'For', 'Good until', 'Last used', '']}
          rows={data.tokens}
          keyOf={({ id }) => id}
          empty="You have none. A program or the command line needs one."
          cells={({ id, name, scope, expiresAt, usedAt }) => [
            name,
            SCOPE_WORDS[scope].name,
            <Moment at={expiresAt} />,
            usedAt === undefined ? 'never' : <Moment at={usedAt} />,
            <Act
              look="quiet"
              what={name}
              confirm={{
                title: `Delete the token ${name}?`,
                text: 'Whatever uses it is let in no more, from now on. It cannot be had back.',
              }}
              act={async () => {
                await api.deleteToken({ path: { id } });
                await queries.invalidateQueries({ queryKey: TOKENS });
              }}
            >
              Delete
            </Act>,
          ]}
        />
      )}
      <NewToken />
    </Section>
  );
}

const DAY_MS = 86_400_000;
const LIFETIMES = [
  { key: '7', name: 'A week' },
  { key: '30', name: 'A month' },
  { key: '90', name: 'Three months' },
  { key: '365', name: 'A year' },
] as const;

function NewToken() {
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Scope>('read');
  const [days, setDays] = useState<(typeof LIFETIMES)[number]['key']>('90');
  const [made, setMade] = useState<{ name: string; token: string }>();
  const { isBusy, problem, run } = useAction('The token was not made.');
  return (
    <details className="more">
      <summary>Make a token</summary>
      <Form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            const expiresAt = Date.now() + Number(days) * DAY_MS;
            setMade(await api.createToken({ body: { name: name.trim(), scope, expiresAt } }));
            setName('');
            await queries.invalidateQueries({ queryKey: TOKENS });
          });
        }}
      >
        <Field
          label="Name"
          isRequired
          maxLength={120}
          value={name}
          onChange={setName}
          hint="What it is for."
        />
        <OneOf
          label="What it may do"
          value={scope}
          onChange={setScope}
          options={SCOPES.map((key) => ({ key, ...SCOPE_WORDS[key] }))}
        />
        <Choice label="Good for" value={days} onChange={setDays} options={LIFETIMES} />
        <Trouble>{problem}</Trouble>
        <Button type="submit" look="primary" isPending={isBusy}>
          Make it
        </Button>
      </Form>
      {made && (
        <div className="shown-once" role="status">
          <p>
            <b>{made.name}</b>: copy it now, it is not shown again.
          </p>
          <Copy text={made.token} what="the token" />
        </div>
      )}
    </details>
  );
}

function Password() {
  const [isDone, setDone] = useState(false);
  return (
    <section className="card" aria-labelledby="password">
      <h2 id="password">Password</h2>
      <PasswordForm
        onDone={() => {
          setDone(true);
          void queries.invalidateQueries({ queryKey: SESSIONS });
        }}
      />
      <p role="status">{isDone && 'The password was changed. You were signed out everywhere else.'}</p>
    </section>
  );
}
