/** The first page: the consortia, each with Start run, and the runs. */
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import type { ConsortiumView } from '../../client/generated/types.gen';
import { api, randomKey } from '../api/api';
import { wordsOf } from '../api/errors';
import { consortiaQuery, MOST_RUNS, runsQuery, type RunSummary } from '../api/runs';
import { count, duration, list } from '../format';
import { Button, Trouble } from '../parts/controls';
import { runStanding } from '../picture';
import { Sign } from '../parts/sign';
import { Empty, Failure, Skeleton } from '../parts/states';
import { Growing, Moment } from '../parts/times';
import { useTitle } from '../parts/title';

/** Names of sites that a consortium shows before it counts the rest. */
const MOST_NAMES = 6;
const REFRESH_MS = 4_000;

export function HomePage() {
  useTitle(undefined);
  const consortia = useQuery({ ...consortiaQuery, refetchInterval: REFRESH_MS });
  const runs = useQuery({ ...runsQuery, refetchInterval: REFRESH_MS });
  const error = consortia.error ?? runs.error;
  if (error && (!consortia.data || !runs.data)) return <Failure error={error} what="page" />;
  const underWay = runs.data?.filter((run) => !runStanding(run).ended) ?? [];
  const past = runs.data?.filter((run) => runStanding(run).ended) ?? [];
  return (
    <>
      <h1 className="unseen">Muster</h1>
      {underWay.length > 0 && (
        <section aria-labelledby="under-way">
          <h2 id="under-way">Runs in progress</h2>
          <RunRows runs={underWay} />
        </section>
      )}
      <section aria-labelledby="consortia">
        <h2 id="consortia">Consortia</h2>
        {consortia.data === undefined ? (
          <Skeleton what="Consortia" />
        ) : consortia.data.length === 0 ? (
          <Empty>There is no consortium yet. An administrator registers it with the central API.</Empty>
        ) : (
          <ul className="consortia">
            {consortia.data.map((consortium) => (
              <ConsortiumCard key={consortium.id} consortium={consortium} />
            ))}
          </ul>
        )}
      </section>
      <section aria-labelledby="past">
        <h2 id="past">Past runs</h2>
        {runs.data === undefined ? (
          <Skeleton what="Runs" lines={5} />
        ) : runs.data.length === 0 ? (
          <Empty>No run has been started yet.</Empty>
        ) : past.length === 0 ? (
          <Empty>No run has ended yet.</Empty>
        ) : (
          <RunRows runs={past} />
        )}
        {(runs.data?.length ?? 0) >= MOST_RUNS && (
          <p className="hint">These are the newest {MOST_RUNS} runs.</p>
        )}
      </section>
    </>
  );
}

function ConsortiumCard({ consortium }: { consortium: ConsortiumView }) {
  const { id, name, computation, sites, parameters, secrets = [] } = consortium;
  const names = sites.slice(0, MOST_NAMES).map((site) => site.name);
  const rest = sites.length - names.length;
  return (
    <li className="card consortium">
      <div>
        <h3>{name}</h3>
        <p className="sub">
          {computation ? `${computation.name} ${computation.version}` : 'No computation is chosen'}
        </p>
        <p>
          {count(sites.length, 'site')}: {list(rest > 0 ? [...names, `${rest} more`] : names)}
        </p>
        <ParameterList parameters={parameters} secrets={secrets} />
      </div>
      <StartRun consortiumId={id} />
    </li>
  );
}

/** What a run is started with. */
function ParameterList({
  parameters,
  secrets,
}: {
  parameters: ConsortiumView['parameters'];
  secrets: readonly string[];
}) {
  const entries = Object.entries(parameters);
  if (entries.length + secrets.length === 0) return <p className="hint">No parameters</p>;
  return (
    <dl className="parameters" aria-label="Parameters">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>
          </dd>
        </div>
      ))}
      {secrets.map((pointer) => (
        <div key={pointer}>
          <dt>{pointer.slice(1)}</dt>
          <dd className="hint">secret</dd>
        </div>
      ))}
    </dl>
  );
}

export function StartRun({ consortiumId }: { consortiumId: string }) {
  // One key until a run was started: however often the button is pressed or the network fails, it is one run.
  const key = useRef(randomKey());
  const navigate = useNavigate();
  const [isStarting, setStarting] = useState(false);
  const [problem, setProblem] = useState<string>();

  async function start(): Promise<void> {
    setStarting(true);
    setProblem(undefined);
    try {
      const { runId } = await api.startRun({
        path: { consortiumId },
        headers: { 'idempotency-key': key.current },
        body: {},
      });
      key.current = randomKey();
      await navigate({ to: '/runs/$runId', params: { runId } });
    } catch (error) {
      setProblem(`The run was not started. ${wordsOf(error)}`);
    } finally {
      setStarting(false);
    }
  }

  return (
    <>
      <div className="actions">
        <Button look="primary" isDisabled={isStarting} onPress={() => void start()}>
          {isStarting ? 'Starting…' : 'Start run'}
        </Button>
      </div>
      <Trouble>{problem}</Trouble>
    </>
  );
}

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
      <span>
        <Moment at={run.startedAt} /> by {run.startedBy}
      </span>
      <span className="size">{count(run.sites, 'site')}</span>
      <span className="length">
        {ended ? duration(run.since - run.startedAt) : <Growing at={run.startedAt} />}
      </span>
    </Link>
  );
}
