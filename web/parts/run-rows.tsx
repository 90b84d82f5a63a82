/** Runs as rows that lead to their pages. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { runsQuery, type RunSummary } from '../api/lists';
import { wordsOf } from '../api/errors';
import { count, duration } from '../format';
import { runStanding } from '../picture';
import { Button, Trouble } from './controls';
import { Sign } from './sign';
import { Empty, Skeleton } from './states';
import { Growing, Moment } from './times';

export function RunRows({ runs }: { runs: readonly RunSummary[] }) {
  return (
    <ul className="runs">
      {runs.map((run) => (
        <li key={run.runId}>
          <RunRow run={run} />
        </li>
      ))}
    </ul>
  );
}

interface RunPagesProps {
  which: Parameters<typeof runsQuery>[0];
  /** Whether those under way are left out, for they are shown elsewhere. */
  isPast?: boolean;
  empty: string;
}

/** Runs, page after page. */
export function RunPages({ which, isPast = false, empty }: RunPagesProps) {
  const list = useInfiniteQuery(runsQuery(which));
  if (!list.data) {
    if (list.error) return <Trouble>{wordsOf(list.error)}</Trouble>;
    return <Skeleton what="Runs" lines={4} />;
  }
  const runs = list.data.pages
    .flatMap((page) => page.runs)
    .filter((run) => !isPast || runStanding(run).ended);
  return (
    <>
      {runs.length > 0 ? <RunRows runs={runs} /> : !list.hasNextPage && <Empty>{empty}</Empty>}
      {list.hasNextPage && (
        <Button look="quiet" isPending={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
          {list.isFetchingNextPage ? 'Looking…' : 'Show older runs'}
        </Button>
      )}
    </>
  );
}

function RunRow({ run }: { run: RunSummary }) {
  const { sign, tone, label, ended } = runStanding(run);
  return (
    <Link className={`run tone-${tone}`} to="/runs/$runId" params={{ runId: run.runId }}>
      <span className="disc">
        <Sign name={sign} />
      </span>
      <b className="label">{label}</b>
      <span className="what">
        {run.consortium.name}
        <code>{run.runId}</code>
      </span>
      <span className="began">
        <Moment at={run.startedAt} /> <span>by {run.startedBy}</span>
      </span>
      <span className="size">{count(run.sites, 'site')}</span>
      <span className="length">
        {ended ? duration(run.since - run.startedAt) : <Growing at={run.startedAt} />}
      </span>
    </Link>
  );
}
