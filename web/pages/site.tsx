/** A site: whether it is there, where it stands, what waits for it, and who administers it. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { api } from '../api/api';
import {
  consortiaQuery,
  sitePeopleQuery,
  siteQuery,
  sitesQuery,
  waitingQuery,
  type ConsortiumView,
  type SiteView,
} from '../api/lists';
import { answersFor } from '../may';
import { Act } from '../parts/act';
import { Button, Field, Question, Trouble } from '../parts/controls';
import { Invite } from '../parts/invite';
import { Presence } from '../parts/presence';
import { RunPages } from '../parts/run-rows';
import { Section, Table } from '../parts/section';
import { Failure, Skeleton } from '../parts/states';
import { Moment } from '../parts/times';
import { Hero, useTitle } from '../parts/title';
import { useAction } from '../parts/use-action';
import { queries, useMe } from '../session';
import { Asks } from '../site/asks';
import { CutOff, Enrolment } from '../site/enrolment';
import { Standing } from './sites';

export function SitePage({ siteId }: { siteId: string }) {
  const me = useMe();
  const { data, error } = useQuery(sitesQuery);
  useTitle(siteId);
  if (!data) {
    if (error) return <Failure error={error} what="site" />;
    return <Skeleton what="The site" lines={5} />;
  }
  const site = data.find(({ id }) => id === siteId);
  if (!site) return <Unseen siteId={siteId} />;
  const isOwn = answersFor(me, siteId);
  return (
    <>
      <Hero
        crumb={<Link to="/sites">Sites</Link>}
        title={site.name ?? site.id}
        sub={site.name !== undefined && site.name !== site.id ? <code>{site.id}</code> : undefined}
      />
      <CutOff site={site} />
      <Asks siteId={siteId} />
      <Itself site={site} />
      <Policy siteId={siteId} />
      <Memberships siteId={siteId} isOwn={isOwn} />
      <Waiting siteId={siteId} />
      {isOwn && <People siteId={siteId} />}
      <Enrolment siteId={siteId} />
      <Section title="Runs">
        <RunPages which={{ site: siteId }} empty="It has taken part in no run yet." />
      </Section>
    </>
  );
}

function Unseen({ siteId }: { siteId: string }) {
  return (
    <section className="message">
      <h1>There is no such site</h1>
      <p>You see no site that is called {siteId}.</p>
      <p>
        <Link to="/sites">All sites</Link>
      </p>
    </section>
  );
}

function Itself({ site }: { site: SiteView }) {
  const { seenAt, version, runtimes = [] } = site;
  return (
    <Section title="The site itself">
      <dl className="facts plain">
        <div>
          <dt>Edge worker</dt>
          <dd>
            <Presence site={site} />
          </dd>
        </div>
        <div>
          <dt>Last heard of</dt>
          <dd>{seenAt === undefined ? 'never' : <Moment at={seenAt} />}</dd>
        </div>
        <div>
          <dt>Certificate</dt>
          <dd>
            <Standing site={site} />
          </dd>
        </div>
        {version !== undefined && (
          <div>
            <dt>Version</dt>
            <dd>{version}</dd>
          </div>
        )}
        {runtimes.length > 0 && (
          <div>
            <dt>Runs nodes with</dt>
            <dd>{runtimes.join(', ')}</dd>
          </div>
        )}
      </dl>
    </Section>
  );
}

/** What the site's own file says of runs. */
function Policy({ siteId }: { siteId: string }) {
  const { data } = useQuery(siteQuery(siteId));
  if (!data) return null;
  const { policy, saidAt } = data;
  return (
    <Section title="What it lets in">
      {policy?.closed && (
        <p className="verdict tone-warn">
          <b>Nothing new starts there now</b>
          {policy.closed.says}
          {policy.closed.until !== undefined && (
            <>
              {' '}
              Until <Moment at={policy.closed.until} />.
            </>
          )}
        </p>
      )}
      {policy ? (
        <ul className="bullets">
          {policy.says.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      ) : (
        <p className="hint">The site has not said it yet.</p>
      )}
      {saidAt !== undefined && (
        <p className="hint">
          As the site said it <Moment at={saidAt} />.
        </p>
      )}
    </Section>
  );
}

interface Joined {
  consortium: ConsortiumView;
  membership: ConsortiumView['memberships'][number];
}

function Memberships({ siteId, isOwn }: { siteId: string; isOwn: boolean }) {
  const { data } = useQuery(consortiaQuery);
  if (!data) return <Skeleton what="Consortia" />;
  const joined = data.flatMap((consortium): Joined[] =>
    consortium.memberships
      .filter((membership) => membership.siteId === siteId)
      .map((membership) => ({ consortium, membership })),
  );
  return (
    <Section title="Consortia">
      <Table
        columns={['Consortium', 'Computes', 'State', 'Dataset', '']}
        rows={joined}
        keyOf={({ consortium }) => consortium.id}
        empty="No consortium has invited it yet."
        cells={({ consortium: { id, name, computation, description }, membership }) => [
          <>
            <Link to="/consortia/$consortiumId" params={{ consortiumId: id }}>
              {name}
            </Link>
            {membership.state === 'invited' && description !== undefined && (
              <span className="hint">{description}</span>
            )}
          </>,
          computation ? `${computation.name} ${computation.version}` : 'not decided yet',
          membership.state === 'invited' ? (
            <>
              invited by {membership.invitedBy} <Moment at={membership.invitedAt} />
            </>
          ) : (
            membership.state
          ),
          membership.dataset,
          isOwn && membership.state === 'invited' && <Answer consortiumId={id} name={name} siteId={siteId} />,
        ]}
      />
    </Section>
  );
}

function Answer({ consortiumId, name, siteId }: { consortiumId: string; name: string; siteId: string }) {
  const [isOpen, setOpen] = useState(false);
  const [dataset, setDataset] = useState('');
  const [reason, setReason] = useState('');
  const { isBusy, problem, run } = useAction('The answer did not get through.');
  const answer = (body: Parameters<typeof api.answerInvitation>[0]['body']) =>
    run(async () => {
      await api.answerInvitation({ path: { consortiumId, siteId }, body });
      setOpen(false);
      await queries.invalidateQueries({ queryKey: ['consortia'] });
    });
  return (
    <>
      <Button onPress={() => setOpen(true)}>Answer</Button>
      <Question title={`Take part in ${name}?`} isOpen={isOpen} onClose={() => setOpen(false)}>
        <Form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            answer({ accept: true, dataset: dataset.trim() });
          }}
        >
          <Field
            label="Dataset"
            isRequired
            maxLength={120}
            value={dataset}
            onChange={setDataset}
            hint="What site.yaml calls the data for this consortium. The data, and where it lies, stay at the site."
          />
          <Button type="submit" look="primary" isPending={isBusy}>
            Accept
          </Button>
        </Form>
        <Form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            const why = reason.trim();
            answer({ accept: false, ...(why !== '' && { reason: why }) });
          }}
        >
          <Field
            label="Or decline, and say why (optional)"
            maxLength={500}
            value={reason}
            onChange={setReason}
          />
          <Button type="submit" isPending={isBusy}>
            Decline
          </Button>
        </Form>
        <Trouble>{problem}</Trouble>
        <div className="buttons">
          <Button onPress={() => setOpen(false)}>Decide later</Button>
        </div>
      </Question>
    </>
  );
}

/** Runs that wait for something at the site. */
function Waiting({ siteId }: { siteId: string }) {
  const { data = [] } = useQuery(waitingQuery);
  const { data: site } = useQuery(siteQuery(siteId));
  // Those that wait for an answer are shown with what is asked.
  const asked = new Set(site?.asks.map(({ runId }) => runId));
  const here = data.flatMap((item) =>
    item.kind === 'node' && item.node === siteId && !(item.type === 'ApprovalNeeded' && asked.has(item.runId))
      ? [item]
      : [],
  );
  if (here.length === 0) return null;
  return (
    <Section title="What waits here">
      <ul className="waiting">
        {here.map(({ runId, type, message, advice, turn }) => (
          <li key={`${runId} ${type}`}>
            <div>
              <p>
                <b>{type}</b>
              </p>
              <p className="text">{message}</p>
              {advice !== '' && <p className="advice tone-warn">{advice}</p>}
              <p className="hint">Whose turn it is: {turn}</p>
            </div>
            <Link className="button" to="/runs/$runId" params={{ runId }}>
              Look at the run
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function People({ siteId }: { siteId: string }) {
  const { data } = useQuery(sitePeopleQuery(siteId));
  return (
    <Section title="People">
      {!data && <Skeleton what="People" />}
      {data && (
        <Table
          columns={['Name', 'E-mail', '']}
          rows={data}
          keyOf={({ id }) => id}
          empty="Nobody administers it yet but administrators of Muster."
          cells={({ id, name, email }) => [
            name,
            email,
            <Act
              look="quiet"
              what={name}
              confirm={{
                title: `Take ${name} out?`,
                text: `They administer ${siteId} no more. What they have done stays.`,
              }}
              act={async () => {
                await api.removeSitePerson({ path: { siteId, personId: id } });
                await queries.invalidateQueries({ queryKey: ['people'] });
              }}
            >
              Remove
            </Act>,
          ]}
        />
      )}
      <Invite what="Invite somebody to administer it" gives={{ sites: [siteId] }} />
    </Section>
  );
}
