/** What a run is started with. */
import type { ConsortiumView } from '../api/lists';

interface ParameterListProps {
  parameters: ConsortiumView['parameters'];
  /** Where there are values that are not shown, as JSON pointers. */
  secrets: readonly string[];
}

export function ParameterList({ parameters, secrets }: ParameterListProps) {
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
