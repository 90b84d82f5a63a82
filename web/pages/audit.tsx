/** What was done, and by whom. The filter is in the address, so that what one sees can be passed on. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import type { ListAuditData } from '../../client/generated/types.gen';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { fullTime } from '../format';
import { seesAudit } from '../may';
import { Button, Field, Trouble } from '../parts/controls';
import { Section, Table } from '../parts/section';
import { NotForYou, Skeleton } from '../parts/states';
import { Hero, useTitle } from '../parts/title';
import { useMe } from '../session';
import { wordsOfAction, wordsOfDetail, wordsOfVia } from '../audit-words';

type AuditFilter = Pick<NonNullable<ListAuditData['query']>, 'consortium' | 'site' | 'run' | 'who'>;

const FILTERS = [
  { key: 'who', label: 'By whom' },
  { key: 'consortium', label: 'In which consortium' },
  { key: 'site', label: 'At which site' },
  { key: 'run', label: 'In which run' },
] as const;

/** The filter that an address says. */
export function readFilter(search: Readonly<Record<string, unknown>>): AuditFilter {
  const said = FILTERS.flatMap(({ key }) => {
    const value = search[key];
    // The router reads what looks like a number as one.
    const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
    return text === '' ? [] : [[key, text] as const];
  });
  return Object.fromEntries(said);
}

export function AuditPage({ filter }: { filter: AuditFilter }) {
  useTitle('What was done');
  if (seesAudit(useMe())) return <Audit filter={filter} />;
  return (
    <NotForYou title="This page is for administrators and leads">
      Administrators see here what everybody did, and leads what was done in their consortia. What was changed
      in a consortium stands on its own page too.
    </NotForYou>
  );
}

function Audit({ filter }: { filter: AuditFilter }) {
  const me = useMe();
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam, signal }) =>
      api.listAudit({ query: { ...filter, ...(pageParam !== undefined && { after: pageParam }) }, signal }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ next }) => next,
  });
  return (
    <>
      <Hero title="What was done">
        {me.admin && (
          <a className="button" href="/api/audit/export" download="muster-audit.ndjson">
            Download all of it (NDJSON)
          </a>
        )}
      </Hero>
      <Section title="The newest first">
        <Filter key={JSON.stringify(filter)} filter={filter} />
        <Trouble>{error ? wordsOf(error) : undefined}</Trouble>
        {!data && !error && <Skeleton what="Entries" lines={6} />}
        {data && (
          <Table
            columns={['When', 'By', 'What', 'Where', 'More']}
            rows={data.pages.flatMap(({ entries }) => entries)}
            keyOf={({ id }) => String(id)}
            empty="Nothing that fits."
            cells={({ at, by, via, action, consortiumId, siteId, runId, address, detail }) => [
              <time dateTime={new Date(at).toISOString()}>{fullTime(at)}</time>,
              <>
                {by}
                <span className="hint">
                  {wordsOfVia(via)} from {address}
                </span>
              </>,
              wordsOfAction(action),
              <>
                {consortiumId}
                {siteId !== undefined && <span className="hint">site {siteId}</span>}
                {runId !== undefined && (
                  <span className="hint">
                    <Link to="/runs/$runId" params={{ runId }}>
                      {runId}
                    </Link>
                  </span>
                )}
              </>,
              wordsOfDetail(detail).map(({ name, value }) => (
                <span key={name} className="hint">
                  {name}: {value}
                </span>
              )),
            ]}
          />
        )}
        {hasNextPage && (
          <Button look="quiet" isPending={isFetchingNextPage} onPress={() => void fetchNextPage()}>
            Show older entries
          </Button>
        )}
      </Section>
    </>
  );
}

function Filter({ filter }: { filter: AuditFilter }) {
  const [wish, setWish] = useState(filter);
  const navigate = useNavigate();
  const show = (next: AuditFilter) => void navigate({ to: '/admin/audit', search: readFilter(next) });
  return (
    <Form
      className="chooser"
      aria-label="Filter"
      onSubmit={(event) => {
        event.preventDefault();
        show(wish);
      }}
    >
      {FILTERS.map(({ key, label }) => (
        <Field
          key={key}
          label={label}
          value={wish[key] ?? ''}
          onChange={(text) => setWish({ ...wish, [key]: text })}
        />
      ))}
      <div className="actions">
        <Button type="submit">Filter</Button>
        {Object.keys(filter).length > 0 && <Button onPress={() => show({})}>Show all</Button>}
      </div>
    </Form>
  );
}
