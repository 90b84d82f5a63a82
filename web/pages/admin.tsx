/** For administrators: people and invitations, computations, and how the parts are. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { computationsQuery, invitationsQuery, sitesQuery } from '../api/lists';
import { Act } from '../parts/act';
import { Button, Trouble } from '../parts/controls';
import { Copy } from '../parts/copy';
import { Invite } from '../parts/invite';
import { Section, Table } from '../parts/section';
import { Failure, Skeleton } from '../parts/states';
import { Moment } from '../parts/times';
import { Hero, useTitle } from '../parts/title';
import { queries, useMe } from '../session';

const renewPeople = () => queries.invalidateQueries({ queryKey: ['people'] });

export function PeoplePage() {
  useTitle('People');
  const me = useMe();
  const [link, setLink] = useState<string>();
  const list = useInfiniteQuery({
    queryKey: ['people', 'all'],
    queryFn: ({ pageParam, signal }) =>
      api.listPeople({ query: pageParam === undefined ? {} : { after: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
  });
  if (!list.data && list.error) return <Failure error={list.error} what="list" />;
  return (
    <>
      <Hero title="People" />
      <Section title="Accounts">
        {!list.data && <Skeleton what="People" lines={5} />}
        {list.data && (
          <Table
            columns={['Name', 'May', 'Since', '']}
            rows={list.data.pages.flatMap(({ people }) => people)}
            keyOf={({ id }) => id}
            empty="Nobody has an account yet. Invite the first one."
            cells={({ id, name, email, admin, consortia, sites, createdAt, disabledAt }) => [
              <>
                {name}
                <span className="hint">{email}</span>
              </>,
              <>
                {admin && 'everything'}
                {Object.entries(consortia).map(([consortium, role]) => (
                  <span key={consortium} className="hint">
                    {role} of {consortium}
                  </span>
                ))}
                {sites.length > 0 && <span className="hint">administers {sites.join(', ')}</span>}
              </>,
              <>
                <Moment at={createdAt} />
                {disabledAt !== undefined && <span className="hint">disabled</span>}
              </>,
              id !== me.id && (
                <div className="row-actions">
                  <Act
                    look="quiet"
                    what={name}
                    act={async () => {
                      await api.changePerson({ path: { personId: id }, body: { admin: !admin } });
                      await renewPeople();
                    }}
                  >
                    {admin ? 'No administrator' : 'Make administrator'}
                  </Act>
                  <Act
                    look="quiet"
                    what={name}
                    act={async () => {
                      const disabled = disabledAt === undefined;
                      await api.changePerson({ path: { personId: id }, body: { disabled } });
                      await renewPeople();
                    }}
                  >
                    {disabledAt === undefined ? 'Disable' : 'Enable'}
                  </Act>
                  <Act
                    look="quiet"
                    what={`for ${name}`}
                    act={async () => setLink((await api.resetPassword({ path: { personId: id } })).link)}
                  >
                    New password
                  </Act>
                </div>
              ),
            ]}
          />
        )}
        {list.hasNextPage && (
          <Button look="quiet" onPress={() => void list.fetchNextPage()}>
            Show more
          </Button>
        )}
        {link !== undefined && (
          <div className="shown-once" role="status">
            <p>By this link the person sets their password anew. It is not shown again.</p>
            <Copy text={link} what="the link" />
          </div>
        )}
      </Section>
      <Invitations />
    </>
  );
}

function Invitations() {
  const { data, error } = useQuery(invitationsQuery);
  const open = data?.filter(({ usedAt }) => usedAt === undefined);
  return (
    <Section title="Invitations">
      <Trouble>{error ? wordsOf(error) : undefined}</Trouble>
      {!open && !error && <Skeleton what="Invitations" />}
      {open && (
        <Table
          columns={['For', 'By', 'Good until', '']}
          rows={open}
          keyOf={({ id }) => id}
          empty="None is open."
          cells={({ id, email, createdBy, expiresAt }) => [
            email ?? 'whoever has the link',
            createdBy,
            <Moment at={expiresAt} />,
            <Act
              look="quiet"
              what={`the invitation for ${email ?? 'whoever has the link'}`}
              act={async () => {
                await api.revokeInvitation({ path: { id } });
                await renewPeople();
              }}
            >
              Take back
            </Act>,
          ]}
        />
      )}
      <Invite what="Invite somebody" gives={{}} />
      <Invite what="Invite an administrator" gives={{ admin: true }} />
    </Section>
  );
}

export function ComputationsPage() {
  useTitle('Computations');
  const { data, error } = useQuery(computationsQuery);
  if (!data && error) return <Failure error={error} what="list" />;
  return (
    <>
      <Hero title="Computations" />
      <Section title="Registered versions">
        {!data && <Skeleton what="Computations" />}
        {data && (
          <Table
            columns={['Computation', 'Image', 'Registered', 'Parameters', '']}
            rows={data}
            keyOf={({ computation }) => `${computation.name} ${computation.version}`}
            empty="None yet."
            cells={({ computation: { name, version, parameters }, image, addedBy, addedAt }) => [
              <>
                {name} {version}
              </>,
              image ? <code>{image.reference}</code> : 'local processes only',
              <>
                <Moment at={addedAt} /> by {addedBy}
              </>,
              Object.keys(parameters).length === 0 ? (
                'any'
              ) : (
                <details>
                  <summary aria-label={`Show the parameters of ${name} ${version}`}>Show</summary>
                  <pre tabIndex={0}>{JSON.stringify(parameters, null, 2)}</pre>
                </details>
              ),
              <Act
                look="quiet"
                what={`${name} ${version}`}
                act={async () => {
                  await api.removeComputation({ path: { name, version } });
                  await queries.invalidateQueries({ queryKey: ['computations'] });
                }}
              >
                Remove
              </Act>,
            ]}
          />
        )}
      </Section>
      <Section title="Register a version">
        <p>With the command line, where its manifest is:</p>
        <Copy text="muster computation add computation.yaml" what="the command" />
      </Section>
    </>
  );
}

const UNKNOWN = 'not known';
const PARTS = { database: 'Database', temporal: 'Temporal', objectStore: 'Object store' } as const;

export function HealthPage() {
  useTitle('Health');
  const health = useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => api.getReadiness({ signal }),
    retry: false,
    staleTime: 0,
  });
  const { data: sites = [] } = useQuery(sitesQuery);
  const checks = health.data?.checks;
  const versions = [...new Set(sites.map(({ version }) => version ?? UNKNOWN))].sort();
  return (
    <>
      <Hero title="Health">
        <Button isDisabled={health.isFetching} onPress={() => void health.refetch()}>
          {health.isFetching ? 'Looking…' : 'Look again'}
        </Button>
      </Hero>
      <Section title="The centre">
        <Trouble>{health.error ? wordsOf(health.error) : undefined}</Trouble>
        {!checks && !health.error && <Skeleton what="The parts" />}
        {checks && (
          <dl className="facts plain">
            {Object.entries(PARTS).map(([part, name]) => (
              <div key={part}>
                <dt>{name}</dt>
                <dd>
                  <span className="presence tone-good">
                    <span className="dot" />
                    answers
                  </span>
                </dd>
              </div>
            ))}
          </dl>
        )}
      </Section>
      <Section title="Edge workers">
        <Table
          columns={['Version', 'Here', 'Away', 'Not heard of']}
          rows={versions}
          keyOf={(version) => version}
          empty="There is no site yet."
          cells={(version) => [
            version,
            ...(['here', 'away', 'unknown'] as const).map(
              (presence) =>
                sites.filter((site) => site.presence === presence && (site.version ?? UNKNOWN) === version)
                  .length,
            ),
          ]}
        />
      </Section>
    </>
  );
}
