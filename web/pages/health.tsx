/** How the parts are. */
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { sitesQuery } from '../api/lists';
import { Button, Trouble } from '../parts/controls';
import { Section, Table } from '../parts/section';
import { Skeleton } from '../parts/states';
import { Hero, useTitle } from '../parts/title';

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
