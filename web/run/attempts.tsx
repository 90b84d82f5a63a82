/** The launches of a run, as they went. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Attempt } from '../../workflows/api-contract';
import { api } from '../api/api';
import { duration } from '../format';
import { Growing, Moment } from '../parts/times';
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
    <section className="card" aria-labelledby="attempts">
      <h2 id="attempts">Attempts</h2>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">How</th>
              <th scope="col">By</th>
              <th scope="col">Began</th>
              <th scope="col">Took</th>
              <th scope="col">Outcome</th>
            </tr>
          </thead>
          <tbody>
            {data.toReversed().map((attempt) => (
              <tr key={attempt.launchId}>
                <td>
                  {HOW[attempt.how]}
                  {attempt.from && ` ${FROM[attempt.from]}`}
                  {attempt.node !== undefined && `: ${names.get(attempt.node) ?? attempt.node}`}
                  {attempt.reason !== undefined && <span className="hint">“{attempt.reason}”</span>}
                </td>
                <td>{attempt.by}</td>
                <td>
                  <Moment at={attempt.startedAt} />
                </td>
                <td>
                  {attempt.endedAt === undefined ? (
                    <Growing at={attempt.startedAt} />
                  ) : (
                    duration(attempt.endedAt - attempt.startedAt)
                  )}
                </td>
                <td>
                  {attempt.state}
                  {attempt.error && (
                    <span className="hint">
                      {attempt.error.type} in {attempt.error.phase}
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
