/** The sites that one may see. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { api } from '../api/api';
import { sitesQuery, type SiteView } from '../api/lists';
import { count } from '../format';
import { Button, Field, Trouble } from '../parts/controls';
import { useFind } from '../parts/find';
import { JoinCode, type MadeCode } from '../parts/join-code';
import { Presence } from '../parts/presence';
import { Section, Table } from '../parts/section';
import { Failure, Skeleton } from '../parts/states';
import { Moment } from '../parts/times';
import { Hero, useTitle } from '../parts/title';
import { useAction } from '../parts/use-action';
import { queries } from '../session';

export function SitesPage() {
  useTitle('Sites');
  const { data, error } = useQuery(sitesQuery);
  const found = useFind(data ?? [], 'site', ({ id, name }) => [id, name]);
  if (!data && error) return <Failure error={error} what="list" />;
  return (
    <>
      <Hero title="Sites" />
      <Section title={data ? count(data.length, 'site') : 'Sites'} action={found.field}>
        {!data && <Skeleton what="Sites" />}
        {data && (
          <Table
            columns={['Site', 'Edge worker', 'Certificate', 'Consortia', 'Version']}
            rows={found.rows}
            keyOf={({ id }) => id}
            empty={found.isNarrowed ? 'No site is called so.' : 'You see no site yet.'}
            cells={(site) => [
              <>
                <Link to="/sites/$siteId" params={{ siteId: site.id }}>
                  {site.name ?? site.id}
                </Link>
                {site.name !== undefined && site.name !== site.id && <span className="hint">{site.id}</span>}
              </>,
              <Presence site={site} />,
              <Standing site={site} />,
              site.consortia.length,
              site.version,
            ]}
          />
        )}
        {found.more}
      </Section>
      <AddSite />
    </>
  );
}

const STANDING: Record<NonNullable<SiteView['standing']>['state'], string> = {
  invited: 'has a code until',
  joined: 'good until',
  expired: 'ran out',
  revoked: 'revoked',
};

export function Standing({ site: { standing } }: { site: Pick<SiteView, 'standing'> }) {
  if (!standing) return 'never added';
  return (
    <>
      {STANDING[standing.state]} <Moment at={standing.at} />
    </>
  );
}

/** A site joins with a code that is made here; who makes it may be asked by the API who they are to do so. */
function AddSite() {
  const [id, setId] = useState('');
  const [made, setMade] = useState<MadeCode>();
  const { isBusy, problem, run } = useAction('No code was made.');
  return (
    <Section title="Add a site">
      <Form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          run(async () => {
            setMade(await api.addSite({ body: { id: id.trim() } }));
            setId('');
            await queries.invalidateQueries({ queryKey: ['sites'] });
          });
        }}
      >
        <Field
          label="Its id"
          isRequired
          maxLength={40}
          value={id}
          onChange={setId}
          hint="Small letters, digits and hyphens. It cannot be changed later."
        />
        <Trouble>{problem}</Trouble>
        <Button type="submit" isPending={isBusy}>
          Make a join code
        </Button>
      </Form>
      {made && <JoinCode made={made} />}
    </Section>
  );
}
