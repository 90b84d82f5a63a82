/** The central node's results, and their downloads. */
import { segment } from '../api/api';
import { FileList } from '../parts/files';
import type { Picture } from '../picture';

/** Shown once there are some. They come from the API itself: a browser need not reach the object store. */
export function Results({ picture: { run } }: { picture: Picture }) {
  const { runId, results = [] } = run;
  if (results.length === 0) return null;
  return (
    <section className="card" aria-labelledby="results">
      <h2 id="results">Results of the central node</h2>
      <FileList
        files={results}
        addressOf={(name) => `/api/runs/${segment(runId)}/results/file?name=${segment(name)}`}
      />
    </section>
  );
}
