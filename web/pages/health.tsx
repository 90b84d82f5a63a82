/** How the parts are. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Fragment, type ReactNode } from 'react';
import type { ListGatewaysResponse } from '../../client/generated/types.gen';
import { ApiProblem } from '../../client/errors';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { sitesQuery } from '../api/lists';
import { count } from '../format';
import { Button, Trouble } from '../parts/controls';
import { Section, Table } from '../parts/section';
import { Empty, Skeleton } from '../parts/states';
import { Moment } from '../parts/times';
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
  const gateways = useQuery({
    queryKey: ['gateways'],
    queryFn: async ({ signal }) => (await api.listGateways({ signal })).gateways,
    retry: false,
    staleTime: 0,
  });
  const isLooking = health.isFetching || gateways.isFetching;
  const lookAgain = () => Promise.all([health.refetch(), gateways.refetch()]);
  const checks = health.error instanceof ApiProblem ? health.error.problem?.checks : health.data?.checks;
  return (
    <>
      <Hero title="Health">
        <Button isPending={isLooking} onPress={() => void lookAgain()}>
          {isLooking ? 'Looking…' : 'Look again'}
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
                  {checks[part] === 'ok' ? (
                    <State tone="good">answers</State>
                  ) : (
                    <State tone="bad">does not answer</State>
                  )}
                </dd>
              </div>
            ))}
          </dl>
        )}
      </Section>
      <Section title="Site gateways">
        <Trouble>{gateways.error ? wordsOf(gateways.error) : undefined}</Trouble>
        {gateways.isPending && <Skeleton what="The site gateways" />}
        {gateways.data?.length === 0 && (
          <Empty>No gateway has been heard of. Sites reach the centre through one.</Empty>
        )}
        {gateways.data && gateways.data.length > 0 && (
          <dl className="facts plain">
            {gateways.data.map((gateway) => (
              <div key={gateway.name}>
                <dt>{gateway.name}</dt>
                <dd>
                  <GatewayState {...gateway} />
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

const State = ({ tone, children }: { tone: 'good' | 'bad' | 'idle'; children: ReactNode }) => (
  <span className={`presence tone-${tone}`}>
    <span className="dot" />
    <span>{children}</span>
  </span>
);

/** Times and no lengths of time: these would grow, although nobody has looked again. */
function GatewayState({ presence, seenAt }: ListGatewaysResponse['gateways'][number]) {
  const at = <Moment at={seenAt} />;
  switch (presence) {
    case 'here':
      return <State tone="good">is up, asked last at {at}</State>;
    case 'away':
      return <State tone="bad">not heard of since {at}</State>;
    case 'unknown':
      return <State tone="idle">not known yet, heard of last at {at}</State>;
  }
}

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
