/** A consortium: what it is about, who is in it, what it computes with which parameters, its runs and what was changed. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { Form } from 'react-aria-components';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import {
  changesQuery,
  computationsQuery,
  consortiumPeopleQuery,
  consortiumQuery,
  readinessQuery,
  sitesQuery,
  underWayQuery,
  type ConsortiumView,
} from '../api/lists';
import type { ConsortiumRole } from '../../workflows/people-contract';
import { answersFor, holds } from '../may';
import { ConsortiumNotices } from '../notices/consortium-notices';
import { Act } from '../parts/act';
import { Button, Choice, Field, Trouble } from '../parts/controls';
import { useFind } from '../parts/find';
import { Invite } from '../parts/invite';
import { ROLE_OPTIONS } from '../people/grants';
import { ParameterList } from '../parts/parameter-list';
import { Presence } from '../parts/presence';
import { RunPages, RunRows } from '../parts/run-rows';
import { Section, Table } from '../parts/section';
import { StartRun } from '../parts/start-run';
import { Empty, Failure, Skeleton } from '../parts/states';
import { Moment } from '../parts/times';
import { Hero, useTitle } from '../parts/title';
import { useAction } from '../parts/use-action';
import { queries, useMe } from '../session';

/** Only those who change parameters need what draws forms. */
const ParameterForm = lazy(async () => ({
  default: (await import('../parameters/parameter-form')).ParameterForm,
}));

export function ConsortiumPage({ consortiumId }: { consortiumId: string }) {
  const { data, error } = useQuery(consortiumQuery(consortiumId));
  useTitle(data?.consortium.name ?? consortiumId);
  if (!data) {
    if (error) return <Failure error={error} what="consortium" />;
    return <Skeleton what="The consortium" lines={6} />;
  }
  return <Consortium consortium={data.consortium} tag={data.tag} />;
}

interface Shown {
  consortium: ConsortiumView;
  /** What a change of it names as what was looked at. */
  tag: string | undefined;
}

function Consortium({ consortium, tag }: Shown) {
  const me = useMe();
  const { id, name, computation, sites, archivedAt } = consortium;
  const isLead = holds(me, id, 'lead');
  const mayStart = isLead && computation !== undefined && sites.length > 0 && archivedAt === undefined;
  return (
    <>
      <Hero
        crumb={
          <>
            <Link to="/">Consortia</Link> / <code>{id}</code>
          </>
        }
        title={name}
        sub={computation ? `${computation.name} ${computation.version}` : 'No computation yet'}
      >
        {mayStart && <StartRun consortiumId={id} />}
      </Hero>
      {archivedAt !== undefined && (
        <p className="verdict tone-halt">
          <b>Archived</b>No run of it can be started since <Moment at={archivedAt} />.
        </p>
      )}
      <UnderWay consortiumId={id} />
      <About consortium={consortium} tag={tag} isLead={isLead} />
      <Sites consortium={consortium} isLead={isLead} />
      <Computing consortium={consortium} tag={tag} isLead={isLead} />
      <Section title="Runs">
        <RunPages which={{ consortium: id }} empty="No run has been started yet." />
      </Section>
      <People consortiumId={id} isLead={isLead} />
      {isLead && <ConsortiumNotices consortiumId={id} />}
      <History consortiumId={id} />
    </>
  );
}

/** Of the runs in progress, as many as are shown before all else; the list of runs has them all. */
const MOST_UNDER_WAY = 5;

/** What most come for while there is any. */
function UnderWay({ consortiumId }: { consortiumId: string }) {
  const { data = [] } = useQuery(underWayQuery);
  const runs = data.filter(({ consortium }) => consortium.id === consortiumId);
  if (runs.length === 0) return null;
  return (
    <Section title="Runs in progress" isPlain>
      <RunRows runs={runs.slice(0, MOST_UNDER_WAY)} />
      {runs.length > MOST_UNDER_WAY && (
        <p className="hint">
          The newest {MOST_UNDER_WAY} of {runs.length} are shown. All are below, under Runs.
        </p>
      )}
    </Section>
  );
}

const renew = (consortiumId: string) =>
  Promise.all([
    queries.invalidateQueries({ queryKey: ['consortia', consortiumId] }),
    queries.invalidateQueries({ queryKey: ['consortia'], exact: true }),
  ]);

/** Changes a consortium, as it was looked at. */
type Body = Parameters<typeof api.changeConsortium>[0]['body'];
async function change(consortiumId: string, tag: string | undefined, body: Body): Promise<void> {
  try {
    await api.changeConsortium({
      path: { consortiumId },
      headers: { ...(tag !== undefined && { 'if-match': tag }) },
      body,
    });
  } finally {
    // Where somebody else was faster, what they made of it is shown.
    await renew(consortiumId);
  }
}

function About({ consortium, tag, isLead }: Shown & { isLead: boolean }) {
  const [isEditing, setEditing] = useState(false);
  const { id, name, description, archivedAt } = consortium;
  return (
    <Section
      title="About"
      action={
        isLead &&
        !isEditing && (
          <>
            <Button look="quiet" onPress={() => setEditing(true)}>
              Edit
            </Button>
            {archivedAt === undefined ? (
              <Act
                look="quiet"
                confirm={{
                  title: `Archive ${name}?`,
                  text: 'No run of it can be started then, until a lead opens it again. Runs that are under way go on.',
                }}
                act={() => change(id, tag, { archived: true })}
              >
                Archive
              </Act>
            ) : (
              <Act look="quiet" act={() => change(id, tag, { archived: false })}>
                Open again
              </Act>
            )}
          </>
        )
      }
    >
      {isEditing ? (
        <AboutForm consortium={consortium} tag={tag} onDone={() => setEditing(false)} />
      ) : (
        <p className="text">{description ?? <span className="hint">Nothing was written yet.</span>}</p>
      )}
    </Section>
  );
}

function AboutForm({ consortium, tag, onDone }: Shown & { onDone: () => void }) {
  const [looked] = useState(tag);
  const [name, setName] = useState(consortium.name);
  const [description, setDescription] = useState(consortium.description ?? '');
  const { isBusy, problem, run } = useAction('It was not changed.');
  return (
    <Form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => {
          const text = description.trim();
          await change(consortium.id, looked, { name: name.trim(), description: text === '' ? null : text });
          onDone();
        });
      }}
    >
      <Field label="Name" autoFocus isRequired maxLength={120} value={name} onChange={setName} />
      <Field
        label="What it is about"
        lines={5}
        maxLength={4_000}
        value={description}
        onChange={setDescription}
      />
      <Trouble>{problem}</Trouble>
      <div className="actions">
        <Button type="submit" look="primary" isPending={isBusy}>
          Save
        </Button>
        <Button onPress={onDone}>Leave it as it is</Button>
      </div>
    </Form>
  );
}

const MEMBERSHIP: Record<ConsortiumView['memberships'][number]['state'], string> = {
  invited: 'invited',
  accepted: 'takes part',
  declined: 'declined',
  left: 'left',
  removed: 'removed',
};

function Sites({ consortium, isLead }: { consortium: ConsortiumView; isLead: boolean }) {
  const me = useMe();
  const { data: sites = [] } = useQuery(sitesQuery);
  const { data: readiness } = useQuery(readinessQuery(consortium.id));
  const ready = new Map(readiness?.sites.map((site) => [site.siteId, site]));
  const known = new Map(sites.map((site) => [site.id, site]));
  const { id, memberships } = consortium;
  const found = useFind(memberships, 'site', ({ siteId, name }) => [siteId, name]);
  return (
    <Section title="Sites" action={found.field}>
      <Table
        columns={['Site', 'State', 'Dataset', 'Edge worker', 'Ready', '']}
        rows={found.rows}
        keyOf={({ siteId }) => siteId}
        empty={found.isNarrowed ? 'No site is called so.' : 'No site was invited yet.'}
        cells={({ siteId, name, state, dataset, reason }) => [
          <>
            {known.has(siteId) ? (
              <Link to="/sites/$siteId" params={{ siteId }}>
                {name}
              </Link>
            ) : (
              name
            )}
            {name !== siteId && <span className="hint">{siteId}</span>}
          </>,
          <>
            {MEMBERSHIP[state]}
            {reason !== undefined && <span className="hint">“{reason}”</span>}
          </>,
          dataset,
          <Presence site={known.get(siteId)} />,
          state === 'accepted' && <Readiness site={ready.get(siteId)} />,
          (isLead || answersFor(me, siteId)) && (state === 'accepted' || state === 'invited') && (
            <Act
              look="quiet"
              what={name}
              {...(state === 'accepted' && {
                confirm: {
                  title: `Take ${name} out of the consortium?`,
                  text: 'It takes part in no new run then. To come back, it has to be invited and accept once more.',
                },
              })}
              act={async () => {
                await api.removeSite({ path: { consortiumId: id, siteId } });
                await renew(id);
              }}
            >
              {state === 'invited' ? 'Take back' : 'Remove'}
            </Act>
          ),
        ]}
      />
      {found.more}
      {isLead && <InviteSite consortiumId={id} />}
    </Section>
  );
}

const VERDICTS = {
  ready: 'yes',
  waits: 'waits for a person or an hour',
  'not-ready': 'no',
  'not-known': 'not known',
} as const;

function Readiness({ site }: { site: { verdict: keyof typeof VERDICTS; says: string[] } | undefined }) {
  if (!site) return null;
  return (
    <>
      {VERDICTS[site.verdict]}
      {site.says.map((sentence) => (
        <span key={sentence} className="hint">
          {sentence}
        </span>
      ))}
    </>
  );
}

function InviteSite({ consortiumId }: { consortiumId: string }) {
  const [siteId, setSiteId] = useState('');
  const [name, setName] = useState('');
  const { isBusy, problem, run } = useAction('The site was not invited.');
  return (
    <details className="more">
      <summary>Invite a site</summary>
      <Form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            await api.inviteSite({
              path: { consortiumId },
              body: { siteId: siteId.trim(), ...(name.trim() !== '' && { name: name.trim() }) },
            });
            setSiteId('');
            setName('');
            await renew(consortiumId);
          });
        }}
      >
        <Field
          label="Its id"
          isRequired
          value={siteId}
          onChange={setSiteId}
          hint="As it joined Muster. Who administers it accepts or declines."
        />
        <Field label="What it is called here (optional)" maxLength={120} value={name} onChange={setName} />
        <Trouble>{problem}</Trouble>
        <Button type="submit" look="primary" isPending={isBusy}>
          Invite
        </Button>
      </Form>
    </details>
  );
}

function Computing({ consortium, tag, isLead }: Shown & { isLead: boolean }) {
  const [isEditing, setEditing] = useState(false);
  const { data: computations, error } = useQuery(computationsQuery);
  const { id, computation, parameters, secrets = [] } = consortium;
  const chosen = computations?.find(
    ({ computation: one }) => one.name === computation?.name && one.version === computation.version,
  );
  const names = [...new Set(computations?.map((one) => one.computation.name))];
  const versions =
    computations?.filter((one) => one.computation.name === computation?.name).map((one) => one.computation) ??
    [];
  return (
    <Section
      title="What it computes"
      action={
        isLead &&
        chosen &&
        !isEditing && (
          <Button look="quiet" onPress={() => setEditing(true)}>
            Change the parameters
          </Button>
        )
      }
    >
      <Trouble>{error ? wordsOf(error) : undefined}</Trouble>
      {isLead && computations && (
        <Chooser
          names={names}
          versions={versions.map(({ version }) => version)}
          computation={computation}
          onChoose={(name, version) => {
            const newest = computations.findLast((one) => one.computation.name === name)?.computation.version;
            return change(id, tag, { computation: { name, version: version ?? newest ?? '' } });
          }}
        />
      )}
      {isLead && computations?.length === 0 && (
        <Empty>No computation is registered yet. An administrator does that.</Empty>
      )}
      {isEditing && chosen ? (
        <Suspense fallback={<Skeleton what="The form" />}>
          <ParameterForm
            schema={chosen.computation.parameters}
            parameters={parameters}
            secrets={secrets}
            onSave={async (next) => {
              await change(id, tag, { parameters: next });
              setEditing(false);
            }}
            onCancel={() => setEditing(false)}
          />
        </Suspense>
      ) : (
        computation && <ParameterList parameters={parameters} secrets={secrets} />
      )}
    </Section>
  );
}

interface ChooserProps {
  names: readonly string[];
  versions: readonly string[];
  computation: ConsortiumView['computation'];
  onChoose: (name: string, version: string | undefined) => Promise<void>;
}

function Chooser({ names, versions, computation, onChoose }: ChooserProps) {
  const { isBusy, problem, run } = useAction('It was not changed.');
  const asOptions = (keys: readonly string[]) => keys.map((key) => ({ key, name: key }));
  return (
    <div className="chooser">
      <Choice
        label="Computation"
        options={asOptions(names)}
        value={computation?.name}
        isDisabled={isBusy}
        onChange={(name) => {
          if (name !== computation?.name) run(() => onChoose(name, undefined));
        }}
      />
      {computation && (
        <Choice
          label="Version"
          options={asOptions(versions)}
          value={computation.version}
          isDisabled={isBusy}
          onChange={(version) => {
            if (version !== computation.version) run(() => onChoose(computation.name, version));
          }}
        />
      )}
      <Trouble>{problem}</Trouble>
    </div>
  );
}

function People({ consortiumId, isLead }: { consortiumId: string; isLead: boolean }) {
  const { data, error } = useQuery(consortiumPeopleQuery(consortiumId));
  const [role, setRole] = useState<ConsortiumRole>('member');
  const renewPeople = () => queries.invalidateQueries({ queryKey: ['people'] });
  // Who sees the consortium for a site that takes part may not see its people.
  if (error) return null;
  return (
    <Section title="People">
      {!data && <Skeleton what="People" />}
      {data && (
        <Table
          columns={['Name', 'E-mail', 'Role', '']}
          rows={data}
          keyOf={({ id }) => id}
          empty="Nobody but administrators looks after it."
          cells={({ id, name, email, role: has }) => [
            name,
            email,
            isLead ? <RoleChoice consortiumId={consortiumId} personId={id} name={name} role={has} /> : has,
            isLead && (
              <Act
                look="quiet"
                what={name}
                confirm={{
                  title: `Remove ${name} from the consortium?`,
                  text: 'They do not see it and its runs any more. To come back, they have to be invited once more.',
                }}
                act={async () => {
                  await api.removeConsortiumPerson({ path: { consortiumId, personId: id } });
                  await renewPeople();
                }}
              >
                Remove
              </Act>
            ),
          ]}
        />
      )}
      {isLead && (
        <Invite what="Invite somebody" gives={{ consortia: { [consortiumId]: role } }}>
          <Choice label="As" options={ROLE_OPTIONS} value={role} onChange={setRole} />
        </Invite>
      )}
    </Section>
  );
}

interface RoleChoiceProps {
  consortiumId: string;
  personId: string;
  name: string;
  role: ConsortiumRole;
}

function RoleChoice({ consortiumId, personId, name, role }: RoleChoiceProps) {
  const { isBusy, problem, run } = useAction();
  return (
    <>
      <Choice
        label={`Role of ${name}`}
        isLabelHidden
        options={ROLE_OPTIONS}
        value={role}
        isDisabled={isBusy}
        onChange={(next) =>
          run(async () => {
            await api.setConsortiumRole({ path: { consortiumId, personId }, body: { role: next } });
            await queries.invalidateQueries({ queryKey: ['people'] });
          })
        }
      />
      <Trouble>{problem}</Trouble>
    </>
  );
}

function History({ consortiumId }: { consortiumId: string }) {
  const list = useInfiniteQuery(changesQuery(consortiumId));
  if (!list.data) return null;
  const changes = list.data.pages.flatMap((page) => page.changes);
  return (
    <Section title="What was changed">
      <Table
        columns={['When', 'By', 'What']}
        rows={changes}
        keyOf={({ id }) => String(id)}
        empty="Nothing yet."
        cells={({ at, by, says }) => [<Moment at={at} />, by, says]}
      />
      {list.hasNextPage && (
        <Button look="quiet" onPress={() => void list.fetchNextPage()}>
          Show older changes
        </Button>
      )}
    </Section>
  );
}
