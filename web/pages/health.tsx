/** How the parts are. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Fragment } from 'react';
import { ApiProblem } from '../../client/errors';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { sitesQuery } from '../api/lists';
import { count } from '../format';
import { Button, Trouble } from '../parts/controls';
import { Section, Table } from '../parts/section';
import { Skeleton } from '../parts/states';
import { Hero, useTitle } from '../parts/title';

const UNKNOWN = 'not known';
const PARTS = [
  ['database', 'Database'],
  ['temporal', 'Temporal'],
  ['objectStore', 'Object store'],
  ['centralWorker', 'Central worker'],
] as const;
/** Names of sites that are away, before the rest is counted. */
const MOST_NAMES = 10;

export function HealthPage() {
  useTitle('Health');
  const health = useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => api.getReadiness({ signal }),
    retry: false,
    staleTime: 0,
  });
  const checks = health.error instanceof ApiProblem ? health.error.problem?.checks : health.data?.checks;
  return (
    <>
      <Hero title="Health">
        <Button isPending={health.isFetching} onPress={() => void health.refetch()}>
          {health.isFetching ? 'Looking…' : 'Look again'}
        </Button>
      </Hero>
      <Section title="The centre">
        <Trouble>{health.error ? wordsOf(health.error) : undefined}</Trouble>
        {health.isPending && <Skeleton what="The parts" />}
        {checks && (
          <dl className="facts plain">
            {PARTS.map(([part, name]) => (
              <div key={part}>
                <dt>{name}</dt>
                <dd>
                  <State isGood={checks[part] === 'ok'} />
                </dd>
              </div>
            ))}
          </dl>
        )}
      </Section>
      <EdgeWorkers />
    </>
  );
}

const State = ({ isGood }: { isGood: boolean }) => (
  <span className={`presence tone-${isGood ? 'good' : 'bad'}`}>
    <span className="dot" />
    {isGood ? 'answers' : 'does not answer'}
  </span>
);

function EdgeWorkers() {
  const { data: sites, error } = useQuery(sitesQuery);
  if (!sites) {
    return (
      <Section title="Edge workers">
        {error ? <Trouble>{wordsOf(error)}</Trouble> : <Skeleton what="Edge workers" />}
      </Section>
    );
  }
  const away = sites.filter(({ presence }) => presence === 'away');
  const here = sites.filter(({ presence }) => presence === 'here');
  const versions = [...new Set(sites.map(({ version }) => version ?? UNKNOWN))].sort();
  return (
    <Section title="Edge workers">
      {sites.length > 0 && (
        <p>
          {here.length} of {count(sites.length, 'site')} are here.
          {away.length > 0 && ' Away: '}
          {away.slice(0, MOST_NAMES).map(({ id, name }, index) => (
            <Fragment key={id}>
              {index > 0 && ', '}
              <Link to="/sites/$siteId" params={{ siteId: id }}>
                {name ?? id}
              </Link>
            </Fragment>
          ))}
          {away.length > MOST_NAMES && ` and ${away.length - MOST_NAMES} more`}
          {away.length > 0 && '.'}
        </p>
      )}
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
  );
}
