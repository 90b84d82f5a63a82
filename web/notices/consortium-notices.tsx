/** Who is told of what happens to a consortium's runs, by webhook or by mail, and what came of it. For its leads. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import type { NoticeEvent } from '../../workflows/notice-contract';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { Act } from '../parts/act';
import { Button, Field, OneOf, Trouble } from '../parts/controls';
import { Copy } from '../parts/copy';
import { Section, Table } from '../parts/section';
import { Empty, Skeleton } from '../parts/states';
import { Moment } from '../parts/times';
import { useAction } from '../parts/use-action';
import { queries } from '../session';
import { EventChoice, NoMailServer } from './event-choice';
import { EVENT_NAMES, fateOf, nameFor, standingOf, whenOf, type NoticeView } from './words';

const keyOf = (consortiumId: string) => ['consortia', consortiumId, 'notices'];
const renew = (consortiumId: string) => queries.invalidateQueries({ queryKey: keyOf(consortiumId) });

/** The secret of a webhook, as it is shown this once. */
interface MadeSecret {
  of: string;
  secret: string;
}

export function ConsortiumNotices({ consortiumId }: { consortiumId: string }) {
  const [made, setMade] = useState<MadeSecret>();
  const { data, error } = useQuery({
    queryKey: keyOf(consortiumId),
    queryFn: ({ signal }) => api.listNotices({ path: { consortiumId }, signal }),
  });
  const save = async (noticeId: string, body: Body, renewSecret = false): Promise<void> => {
    const { secret } = await api.putNotice({
      path: { consortiumId, noticeId },
      query: { renewSecret: renewSecret ? 'true' : 'false' },
      body,
    });
    setMade(secret === undefined ? undefined : { of: noticeId, secret });
    await renew(consortiumId);
  };
  return (
    <Section title="Who is told">
      <Trouble>{error ? wordsOf(error) : undefined}</Trouble>
      {!data && !error && <Skeleton what="Who is told" />}
      {data?.noMailServer === true && <NoMailServer />}
      {data?.notices.length === 0 && (
        <Empty>
          Nobody is told yet when a run finishes, fails or waits. A program is told by a webhook, people by
          mail.
        </Empty>
      )}
      {data && data.notices.length > 0 && (
        <ul className="notices">
          {data.notices.map((notice) => (
            <li key={notice.id}>
              <Receiver consortiumId={consortiumId} notice={notice} onSave={save} />
              {made?.of === notice.id && <Secret made={made} />}
            </li>
          ))}
        </ul>
      )}
      {data && <NewReceiver taken={data.notices.map(({ id }) => id)} onSave={save} />}
    </Section>
  );
}

const Secret = ({ made: { of, secret } }: { made: MadeSecret }) => (
  <div className="shown-once" role="status">
    <p>
      What is posted to <b>{of}</b> is signed by this secret (Standard Webhooks). Copy it now, it is not shown
      again.
    </p>
    <Copy text={secret} what="the secret" />
  </div>
);

type Body = Parameters<typeof api.putNotice>[0]['body'];
type Save = (noticeId: string, body: Body, renewSecret?: boolean) => Promise<void>;

/** Of what is shown, what can be put. */
const bodyOf = (notice: NoticeView, on: NoticeEvent[] = notice.on): Body =>
  notice.kind === 'webhook' ? { kind: 'webhook', url: notice.url, on } : { kind: 'email', to: notice.to, on };

interface ReceiverProps {
  consortiumId: string;
  notice: NoticeView;
  onSave: Save;
}

function Receiver({ consortiumId, notice, onSave }: ReceiverProps) {
  const [isEditing, setEditing] = useState(false);
  const { id, kind, on, createdBy, createdAt, deliveries } = notice;
  const { tone, says, since } = standingOf(notice);
  return (
    <>
      <div className="bar">
        <h3>{id}</h3>
        <div className="row-actions">
          <Act
            look="quiet"
            what={id}
            act={async () => {
              await api.testNotice({ path: { consortiumId, noticeId: id } });
              await renew(consortiumId);
            }}
          >
            Try it
          </Act>
          <Button look="quiet" aria-label={`Change ${id}`} onPress={() => setEditing(!isEditing)}>
            Change
          </Button>
          {kind === 'webhook' && (
            <Act
              look="quiet"
              what={`for ${id}`}
              confirm={{
                title: `A new secret for ${id}?`,
                text: 'From now on the old one fits no more: whatever receives the notices has to be given the new one.',
              }}
              act={() => onSave(id, bodyOf(notice), true)}
            >
              New secret
            </Act>
          )}
          <Act
            look="quiet"
            what={id}
            confirm={{
              title: `Tell ${id} no more?`,
              text: 'Its secret, and what became of earlier notices, are gone then.',
            }}
            act={async () => {
              await api.removeNotice({ path: { consortiumId, noticeId: id } });
              await renew(consortiumId);
            }}
          >
            Remove
          </Act>
        </div>
      </div>
      <p>
        {kind === 'webhook' ? 'Webhook to ' : 'Mail to '}
        <code>{kind === 'webhook' ? notice.url : notice.to}</code> {whenOf(on)}
      </p>
      <p className={`presence tone-${tone}`}>
        <span className="dot" />
        <span>
          {says}
          {since !== undefined && (
            <>
              {' '}
              (since <Moment at={since} />)
            </>
          )}
        </span>
      </p>
      <p className="hint">
        Set up by {createdBy} <Moment at={createdAt} />
      </p>
      {isEditing && (
        <ReceiverForm
          notice={notice}
          onSave={async (body) => {
            await onSave(id, body);
            setEditing(false);
          }}
        />
      )}
      {deliveries.length > 0 && (
        <details className="more">
          <summary aria-label={`What was sent last to ${id}`}>What was sent last</summary>
          <Table
            columns={['When', 'About', 'Run', 'What became of it']}
            rows={deliveries}
            keyOf={(delivery) => delivery.id}
            empty=""
            cells={(delivery) => [
              <Moment at={delivery.triedAt ?? delivery.createdAt} />,
              EVENT_NAMES[delivery.event],
              delivery.runId !== undefined && (
                <Link to="/runs/$runId" params={{ runId: delivery.runId }}>
                  {delivery.runId}
                </Link>
              ),
              fateOf(delivery),
            ]}
          />
        </details>
      )}
    </>
  );
}

interface ReceiverFormProps {
  /** What is changed; absent for a new one. */
  notice?: NoticeView;
  onSave: (body: Body) => Promise<void>;
}

function ReceiverForm({ notice, onSave }: ReceiverFormProps) {
  const [kind, setKind] = useState<Body['kind']>(notice?.kind ?? 'email');
  const [place, setPlace] = useState(notice ? (notice.kind === 'webhook' ? notice.url : notice.to) : '');
  const [on, setOn] = useState<NoticeEvent[]>(notice?.on ?? ['failed', 'waiting']);
  const { isBusy, problem, run } = useAction('It was not saved.');
  const isWebhook = kind === 'webhook';
  return (
    <Form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        const where = place.trim();
        run(async () => {
          await onSave(isWebhook ? { kind, url: where, on } : { kind, to: where, on });
          if (!notice) setPlace('');
        });
      }}
    >
      {!notice && (
        <OneOf
          label="How"
          value={kind}
          onChange={setKind}
          options={[
            { key: 'email', name: 'Mail', about: 'To people: one address, which may be a list.' },
            { key: 'webhook', name: 'Webhook', about: 'To a program: signed JSON is posted to an address.' },
          ]}
        />
      )}
      <Field
        label={isWebhook ? 'Address that is posted to' : 'Mail address'}
        type={isWebhook ? 'url' : 'email'}
        isRequired
        maxLength={isWebhook ? 2000 : 254}
        value={place}
        onChange={setPlace}
        {...(isWebhook && { hint: 'Such as https://example.org/hooks/muster' })}
      />
      <EventChoice label="Told when" value={on} onChange={setOn} />
      <Trouble>{on.length === 0 ? 'Choose at least one.' : problem}</Trouble>
      <Button type="submit" look="primary" isPending={isBusy} isDisabled={on.length === 0}>
        Save
      </Button>
    </Form>
  );
}

function NewReceiver({ taken, onSave }: { taken: readonly string[]; onSave: Save }) {
  return (
    <details className="more">
      <summary>Tell somebody else</summary>
      <ReceiverForm
        onSave={(body) => onSave(nameFor(body.kind === 'webhook' ? body.url : body.to, taken), body)}
      />
    </details>
  );
}
