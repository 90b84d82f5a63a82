/** The central node's results, and their downloads. */
import { useQuery } from '@tanstack/react-query';
import { wordsOf } from '../api/errors';
import { resultsQuery } from '../api/lists';
import { FileList } from '../parts/files';
import type { Picture } from '../picture';

/** Their addresses are good for longer. */
const FRESH_MS = 600_000;

/** Shown once there are some. */
export function Results({ picture: { run } }: { picture: Picture }) {
  const files = run.results ?? [];
  const { data, error } = useQuery({
    ...resultsQuery(run.runId),
    enabled: files.length > 0,
    staleTime: FRESH_MS,
    refetchInterval: FRESH_MS,
  });
  if (files.length === 0) return null;
  const urls = new Map(data?.results.map(({ name, url }) => [name, url]));
  return (
    <section className="card" aria-labelledby="results">
      <h2 id="results">Results of the central node</h2>
      <FileList files={files} urls={urls} />
      {error && <p className="hint">They cannot be downloaded here. {wordsOf(error)}</p>}
    </section>
  );
}
