/** Nodes as tracks: one row each, its way through the phases, and all that is known of it to unfold. */
import { memo, type ReactNode } from 'react';
import { wordsOfPhase } from '../phase-words';
import { percent, type NodePicture } from '../picture';
import { FileList } from '../parts/files';
import { Progress } from '../parts/progress';
import { Sign } from '../parts/sign';
import { Growing, Moment } from '../parts/times';

const HEADINGS = ['Waiting', 'Fetching', 'Launching', 'Running', 'Complete'];

/** The names of the phases, above the tracks. */
export function PhaseHeadings() {
  return (
    <div className="row headings" aria-hidden="true">
      <span className="who" />
      <span className="track">
        {HEADINGS.map((name) => (
          <span key={name}>{name}</span>
        ))}
      </span>
      <span className="state" />
    </div>
  );
}

interface TracksProps {
  nodes: readonly NodePicture[];
  /** Those that are unfolded from the beginning. */
  isOpen?: boolean;
  /** What can be done with a node. */
  actions?: ((node: NodePicture) => ReactNode) | undefined;
}

export function Tracks({ nodes, isOpen = false, actions }: TracksProps) {
  return (
    <ul className="tracks">
      {nodes.map((node) => (
        <Row key={node.node} picture={node} isOpen={isOpen} actions={actions} />
      ))}
    </ul>
  );
}

interface RowProps extends Pick<TracksProps, 'actions'> {
  picture: NodePicture;
  isOpen: boolean;
}

const Row = memo(
  ({ picture, isOpen, actions }: RowProps) => {
    const { node, name, tone } = picture;
    return (
      <li className={`node tone-${tone}`} data-state={picture.state}>
        <details open={isOpen}>
          <summary className="row">
            <span className="who">
              <span className="name">{name}</span>
              {isTelling(node, name) && <span className="id">{node}</span>}
            </span>
            <Way picture={picture} />
            <State picture={picture} />
          </summary>
          <Facts picture={picture} />
          {actions && <div className="node-actions">{actions(picture)}</div>}
        </details>
      </li>
    );
  },
  (before, after) =>
    before.picture.view === after.picture.view &&
    before.picture.phase === after.picture.phase &&
    before.isOpen === after.isOpen &&
    before.actions === after.actions,
);

/** Whether the id says what the name does not. */
const isTelling = (node: string, name: string) => node !== 'central' && node !== name.toLowerCase();

function Way({ picture: { stations, sign, progress } }: { picture: NodePicture }) {
  return (
    <span className="track" aria-hidden="true">
      {stations.map(({ phase, mark }) => (
        <span key={phase} className={mark}>
          {phase !== 'waiting' && (
            <span className="way">
              {phase === 'complete' && progress !== undefined && (
                <Progress className="done" part={progress} />
              )}
            </span>
          )}
          <span className="disc">{mark === 'here' && <Sign name={sign} />}</span>
        </span>
      ))}
    </span>
  );
}

function State({ picture }: { picture: NodePicture }) {
  const { label, since, ended, note, progress, attention, error } = picture;
  const said = [note, progress !== undefined && percent(progress)].filter(Boolean).join(' · ');
  return (
    <span className="state">
      <span className="label">
        <b>{label}</b> {ended ? <Moment at={since} /> : <Growing at={since} />}
      </span>
      {said !== '' && <span className="said">{said}</span>}
      {attention && (
        <span className="said trouble">
          <Sign name="retrying" />
          retrying: {attention.type}
        </span>
      )}
      {error && <span className="said trouble">{error.type}</span>}
    </span>
  );
}

function Facts({ picture: { view, label } }: { picture: NodePicture }) {
  const { runtime, containerId, exitCode, outputs, error, attention, report } = view;
  const entries: [string, ReactNode][] = [
    [
      'State',
      <>
        {label} since <Moment at={view.since} />
      </>,
    ],
    ['Reported', report && [report.phase, report.detail].filter(Boolean).join(' ')],
    [
      runtime === 'process' ? 'Process' : 'Container',
      containerId !== undefined && <code>{containerId}</code>,
    ],
    ['Exit code', exitCode !== undefined && <code>{exitCode}</code>],
    [
      'Being retried',
      attention && `${attention.type} ${wordsOfPhase(attention.phase)}: ${attention.message}`,
    ],
    ['Error', error && `${error.type} ${wordsOfPhase(error.phase)}: ${error.message}`],
    ['Results', outputs && outputs.length > 0 && <FileList files={outputs} />],
  ];
  return (
    <dl className="facts">
      {entries.map(
        ([name, value]) =>
          value !== undefined &&
          value !== false && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
