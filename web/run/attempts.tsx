/** The launches of a run, as they went. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Attempt } from '../../workflows/api-contract';
import { api } from '../api/api';
import { duration } from '../format';
import { Section, Table } from '../parts/section';
import { Growing, Moment } from '../parts/times';
import { wordsOfPhase } from '../phase-words';
import type { Picture } from '../picture';

const HOW: Record<Attempt['how'], string> = {
  start: 'Started',
  retry: 'Retried',
  temporal: 'Reset or started in Temporal',
};
const FROM = { provision: 'from the beginning', launch: 'from the launch', sites: 'at the sites' } as const;

/** Shown once there is more to tell than that the run was started. */
export function Attempts({ picture }: { picture: Picture }) {
  const { run, sites } = picture;
  // The events do not tell of attempts: they are asked for again when a launch begins or ends.
  const launches = sites.flatMap(({ view }) => (view.retry ? [view.retry.launchId, view.state] : []));
  const { data } = useQuery({
    queryKey: ['runs', run.runId, 'attempts', run.launchId, run.state, launches.join()],
    queryFn: async ({ signal }) => (await api.getRun({ path: { runId: run.runId }, signal })).attempts,
    placeholderData: keepPreviousData,
  });
  if (data === undefined || data.length < 2) return null;
  const names = new Map(sites.map(({ node, name }) => [node, name]));
  return (
    <Section title="Attempts">
      <Table
        columns={['How', 'By', 'Began', 'Took', 'Outcome']}
        rows={data.toReversed()}
        keyOf={({ launchId }) => launchId}
        empty="None yet."
        cells={({ how, from, node, reason, by, startedAt, endedAt, state, error }) => [
          <>
            {HOW[how]}
            {from && ` ${FROM[from]}`}
            {node !== undefined && `: ${names.get(node) ?? node}`}
            {reason !== undefined && <span className="hint">“{reason}”</span>}
          </>,
          by,
          <Moment at={startedAt} />,
          endedAt === undefined ? <Growing at={startedAt} /> : duration(endedAt - startedAt),
          <>
            {state}
            {error && (
              <span className="hint">
                {error.type} {wordsOfPhase(error.phase)}
              </span>
            )}
          </>,
        ]}
      />
    </Section>
  );
}
