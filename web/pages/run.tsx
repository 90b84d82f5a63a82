/** A run's page: its picture as it happens, and what can be done with it. */
import { Link } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo } from 'react';
import type { RunDetail } from '../../workflows/api-contract';
import { api } from '../api/api';
import { duration } from '../format';
import { useLiveRun } from '../live/use-run';
import { Failure, Skeleton } from '../parts/states';
import { Growing, Moment } from '../parts/times';
import { Hero, useTitle } from '../parts/title';
import { useVoice } from '../parts/voice';
import { MOST_ROWS, picture as pictureOf, siteWorkflow, type NodePicture, type Picture } from '../picture';
import { Attempts } from '../run/attempts';
import { Crowd } from '../run/crowd';
import { Errors } from '../run/errors';
import { Logs } from '../run/logs';
import { Results } from '../run/results';
import { RetryButton } from '../run/retry';
import { Stepper } from '../run/stepper';
import { StopButton, StopPanel, useStop } from '../run/stop';
import { PhaseHeadings, Tracks } from '../run/tracks';
import { holds } from '../may';
import { useMe } from '../session';

export function RunPage({ runId }: { runId: string }) {
  const { model, links, failure } = useLiveRun(runId);
  const picture = useMemo(() => model && pictureOf(model), [model]);
  useTitle(picture ? `${picture.step.label} · ${picture.run.consortium.name}` : runId);
  useVoice(picture?.spoken);
  if (failure !== undefined) return <Failure error={failure} what="run" />;
  if (!picture) return <Skeleton what="The run" lines={6} />;
  return <Run picture={picture} links={links} />;
}

function Run({ picture, links }: { picture: Picture; links: RunDetail['links'] | undefined }) {
  const { run, step, verdict } = picture;
  const temporal = webAddress(links?.temporal);
  const me = useMe();
  const mayLead = holds(me, run.consortium.id, 'lead');
  const stop = useStop(run.runId, picture);
  usePassToCodec(temporal !== undefined);
  return (
    <>
      <Hero
        crumb={
          <>
            <Link to="/">Runs</Link> /{' '}
            <Link to="/consortia/$consortiumId" params={{ consortiumId: run.consortium.id }}>
              {run.consortium.name}
            </Link>{' '}
            / <code>{run.runId}</code>
          </>
        }
        title={run.consortium.name}
        sub={<About picture={picture} />}
      >
        {temporal !== undefined && (
          <a className="button quiet" href={temporal} target="_blank" rel="noopener noreferrer">
            Open in Temporal
          </a>
        )}
        {mayLead && <RetryButton picture={picture} />}
        {mayLead && <StopButton stop={stop} picture={picture} />}
      </Hero>
      <section className="card" aria-label="The run">
        <Stepper step={step} />
        {verdict && (
          <div className="outcome">
            <p className={`verdict tone-${verdict.tone}`} role="status">
              <b>{verdict.title}</b>
              {verdict.text}
              {verdict.advice !== undefined && <span className="advice">{verdict.advice}</span>}
              {verdict.turn !== undefined && <span className="hint">Whose turn it is: {verdict.turn}</span>}
            </p>
          </div>
        )}
        <StopPanel stop={stop} picture={picture} />
      </section>
      <Nodes picture={picture} temporal={temporal} />
      <Errors groups={picture.errors} />
      {holds(me, run.consortium.id, 'member') && (
        <>
          <Results picture={picture} />
          <Logs picture={picture} />
        </>
      )}
      <Attempts picture={picture} />
    </>
  );
}

function About({ picture: { run, step } }: { picture: Picture }) {
  const { computation, startedAt, startedBy } = run;
  return (
    <>
      {computation.name} {computation.version} · started <Moment at={startedAt} /> by {startedBy} ·{' '}
      {step.ended ? (
        `took ${duration(step.since - startedAt)}`
      ) : (
        <>
          <Growing at={startedAt} /> so far
        </>
      )}
    </>
  );
}

/** The picture of the nodes: a row each, or the central node's row and a mosaic when there are many. */
function Nodes({ picture, temporal }: { picture: Picture; temporal: string | undefined }) {
  const { central, sites, run } = picture;
  const { runId } = run;
  const actions = useCallback(
    ({ node }: NodePicture) =>
      temporal !== undefined && (
        <a
          href={node === 'central' ? temporal : siteWorkflow(temporal, runId, node)}
          target="_blank"
          rel="noopener noreferrer"
        >
          Its workflow in Temporal
        </a>
      ),
    [runId, temporal],
  );
  return (
    <section className="card picture" aria-label="Nodes">
      <PhaseHeadings />
      <Tracks nodes={central ? [central] : []} actions={actions} />
      {sites.length > MOST_ROWS ? (
        <Crowd picture={picture} actions={actions} />
      ) : (
        <Tracks nodes={sites} actions={actions} />
      )}
    </section>
  );
}

/** The address comes from the API's configuration; only a web address becomes a link. */
const webAddress = (address: string | undefined) =>
  address !== undefined && /^https?:\/\//.test(address) ? address : undefined;

/** Temporal's Web UI, to which the page links, then shows what histories hold. The page goes without. */
function usePassToCodec(isLinked: boolean): void {
  const { admin } = useMe();
  useEffect(() => {
    if (isLinked && admin) api.passToCodec().catch(() => undefined);
  }, [isLinked, admin]);
}
