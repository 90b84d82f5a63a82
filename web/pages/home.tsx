/** The first page: what waits for somebody, runs under way, the consortia, and past runs. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { wordsOf } from '../api/errors';
import {
  consortiaQuery,
  underWayQuery,
  waitingQuery,
  type ConsortiumView,
  type WaitingItem,
} from '../api/lists';
import { count, list } from '../format';
import { holds } from '../may';
import { Trouble } from '../parts/controls';
import { useFind } from '../parts/find';
import { ParameterList } from '../parts/parameter-list';
import { RunPages, RunRows } from '../parts/run-rows';
import { Section } from '../parts/section';
import { StartRun } from '../parts/start-run';
import { Empty, Skeleton } from '../parts/states';
import { useTitle } from '../parts/title';
import { useMe } from '../session';

/** Names of sites that a consortium shows before it counts the rest. */
const MOST_NAMES = 6;
/** Of the runs in progress, as many as are drawn. */
const MOST_UNDER_WAY = 50;
/** Of what waits, as much as is shown. */
const MOST_WAITING = 20;

export function HomePage() {
  useTitle(undefined);
  const underWay = useQuery(underWayQuery);
  return (
    <>
      <h1 className="unseen">Muster</h1>
      <Waiting />
      {underWay.data && underWay.data.length > 0 && (
        <Section title="Runs in progress" isPlain>
          <RunRows runs={underWay.data.slice(0, MOST_UNDER_WAY)} />
          {underWay.data.length > MOST_UNDER_WAY && (
            <p className="hint">
              The newest {MOST_UNDER_WAY} of {underWay.data.length} are shown. Each consortium’s page has its
              own.
            </p>
          )}
        </Section>
      )}
      <Consortia />
      <Section title="Past runs" isPlain>
        <RunPages which={{}} isPast empty="No run has ended yet." />
      </Section>
    </>
  );
}

/** What waits for who is here: sites that are to answer an invitation, and nodes that they can help. */
function Waiting() {
  const { data = [] } = useQuery(waitingQuery);
  const mine = data.filter((item) => item.mine);
  if (mine.length === 0) return null;
  return (
    <Section title="Waiting for you">
      <ul className="waiting">
        {mine.slice(0, MOST_WAITING).map((item) => (
          <li key={keyOf(item)}>
            <div>
              <p>
                <b>{item.kind === 'node' ? item.node : item.siteId}</b>{' '}
                <span className="tag tone-warn">{item.kind === 'node' ? item.type : 'Invited'}</span>
              </p>
              <p className="text">{item.message}</p>
              {item.advice !== '' && <p className="advice tone-warn">{item.advice}</p>}
            </div>
            {item.kind === 'node' && item.type === 'ApprovalNeeded' ? (
              <Link className="button" to="/sites/$siteId" params={{ siteId: item.node }}>
                Look at the site
              </Link>
            ) : item.kind === 'node' ? (
              <Link className="button" to="/runs/$runId" params={{ runId: item.runId }}>
                Look at the run
              </Link>
            ) : (
              <Link className="button" to="/sites/$siteId" params={{ siteId: item.siteId }}>
                Answer
              </Link>
            )}
          </li>
        ))}
      </ul>
      {mine.length > MOST_WAITING && (
        <p className="hint">
          The first {MOST_WAITING} of {mine.length} are shown.
        </p>
      )}
    </Section>
  );
}

const keyOf = (item: WaitingItem) =>
  item.kind === 'node' ? `${item.runId} ${item.node}` : `${item.consortiumId} ${item.siteId}`;

function Consortia() {
  const { data, error } = useQuery(consortiaQuery);
  const found = useFind(data ?? [], 'consortium', ({ id, name }) => [id, name], 'consortia');
  return (
    <Section
      title="Consortia"
      isPlain
      action={
        <>
          {found.field}
          <Link className="button" to="/consortia/new">
            New consortium
          </Link>
        </>
      }
    >
      <Trouble>{!data && error ? wordsOf(error) : undefined}</Trouble>
      {!data && !error && <Skeleton what="Consortia" />}
      {data && found.rows.length === 0 && (
        <Empty>
          {found.isNarrowed
            ? 'No consortium is called so.'
            : 'You are in no consortium yet. Found one, or ask who leads one for an invitation.'}
        </Empty>
      )}
      {found.rows.length > 0 && (
        <ul className="consortia">
          {found.rows.map((consortium) => (
            <ConsortiumCard key={consortium.id} consortium={consortium} />
          ))}
        </ul>
      )}
      {found.more}
    </Section>
  );
}

function ConsortiumCard({ consortium }: { consortium: ConsortiumView }) {
  const me = useMe();
  const { id, name, computation, sites, parameters, secrets = [], archivedAt } = consortium;
  const mayStart = holds(me, id, 'lead') && computation && sites.length > 0 && archivedAt === undefined;
  const names = sites.slice(0, MOST_NAMES).map((site) => site.name);
  const rest = sites.length - names.length;
  const words = list(rest > 0 ? [...names, `${rest} more`] : names);
  return (
    <li className="card consortium">
      <div>
        <h3>
          <Link to="/consortia/$consortiumId" params={{ consortiumId: id }}>
            {name}
          </Link>
        </h3>
        <p className="sub">
          {archivedAt !== undefined && 'Archived · '}
          {computation ? `${computation.name} ${computation.version}` : 'No computation yet'}
        </p>
        <p>{sites.length === 0 ? 'No site takes part yet' : `${count(sites.length, 'site')}: ${words}`}</p>
        <ParameterList parameters={parameters} secrets={secrets} />
      </div>
      {mayStart && <StartRun consortiumId={id} />}
    </li>
  );
}
