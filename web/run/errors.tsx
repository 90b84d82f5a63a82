/** The run's errors by name: where, what, in whose hands, and whether it is being tried again. */
import { count } from '../format';
import { Sign } from '../parts/sign';
import { Growing, Moment } from '../parts/times';
import { wordsOfPhase } from '../phase-words';
import type { ErrorGroup } from '../picture';

type Member = ErrorGroup['members'][number];

const TONES = { retrying: 'warn', final: 'bad', past: 'idle' } as const;
const SIGNS = { retrying: 'retrying', final: 'failed', past: 'complete' } as const;
const TAGS = { retrying: 'being retried', final: 'final', past: 'overcome' } as const;
/** Nodes that are listed before the rest is to be unfolded. */
const MOST_LISTED = 5;

export function Errors({ groups }: { groups: readonly ErrorGroup[] }) {
  if (groups.length === 0) return null;
  return (
    <section className="card" aria-labelledby="errors">
      <h2 id="errors">Errors</h2>
      <ul className="errors">
        {groups.map((group) => (
          <Group key={group.key} group={group} />
        ))}
      </ul>
    </section>
  );
}

function Group({ group }: { group: ErrorGroup }) {
  const { standing, phase, type, earlierLaunch, advice, turn, members } = group;
  const hidden = members.length - MOST_LISTED;
  const rows = (some: readonly Member[]) =>
    some.map((member) => (
      <li key={member.key}>
        <p className="text">
          {members.length > 1 && <b>{member.name} </b>}
          {member.entry.message}
        </p>
        <p className="hint">
          <Seen entry={member.entry} standing={standing} />
        </p>
      </li>
    ));
  return (
    <li className={`error tone-${TONES[standing]}`} data-standing={standing}>
      <span className="disc">
        <Sign name={SIGNS[standing]} />
      </span>
      <div>
        <p className="title">
          <b className="names">{members.length > 1 ? count(members.length, 'node') : members[0]?.name}</b>
          <span className="type">{type}</span>
          <span className="phase">{wordsOfPhase(phase)}</span>
          <span className="tag">{earlierLaunch ? 'earlier launch' : TAGS[standing]}</span>
        </p>
        <ul className="members first">{rows(members.slice(0, MOST_LISTED))}</ul>
        {hidden > 0 && (
          <details className="rest">
            <summary>and {count(hidden, 'more node')}</summary>
            <ul className="members">{rows(members.slice(MOST_LISTED))}</ul>
          </details>
        )}
        {standing !== 'past' && advice !== '' && <p className="advice">{advice}</p>}
        {standing !== 'past' && turn !== '' && <p className="hint">Whose turn it is: {turn}</p>}
      </div>
    </li>
  );
}

function Seen({ entry, standing }: { entry: Member['entry']; standing: ErrorGroup['standing'] }) {
  const { count: times, firstAt, lastAt } = entry;
  if (times === 1) return <Moment at={firstAt} />;
  return (
    <>
      Seen {count(times, 'time')}, first <Moment at={firstAt} />, last{' '}
      {standing === 'retrying' ? (
        <>
          <Growing at={lastAt} /> ago
        </>
      ) : (
        <Moment at={lastAt} />
      )}
    </>
  );
}
