/** Which computations are registered, and registering one. */
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { api } from '../api/api';
import { computationsQuery } from '../api/lists';
import { Act } from '../parts/act';
import { Copy } from '../parts/copy';
import { Section, Table } from '../parts/section';
import { Failure, Skeleton } from '../parts/states';
import { Moment } from '../parts/times';
import { Hero, useTitle } from '../parts/title';
import { queries } from '../session';

/** Only those who register one need what reads YAML. */
const Register = lazy(async () => ({ default: (await import('../computations/register')).Register }));

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
                confirm={{
                  title: `Remove ${name} ${version}?`,
                  text: 'No consortium can choose it any more. Runs that were started with it go on, and can be retried.',
                }}
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
        <Suspense fallback={<Skeleton what="The form" lines={1} />}>
          <Register />
        </Suspense>
        <p className="hint">Or with the command line, where its manifest is:</p>
        <Copy text="muster computation add computation.yaml" what="the command" />
      </Section>
    </>
  );
}
