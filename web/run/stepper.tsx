/** How far a run is along its way: one station after the other, and what happened where it is. */
import type { Step, Tone } from '../picture';
import { Sign } from '../parts/sign';

const NAMES: Record<Step['steps'][number]['phase'], string> = {
  provisioning: 'Provisioning',
  publishing: 'Publishing kits',
  launching: 'Launching',
  running: 'Running',
  complete: 'Complete',
};

export function Stepper({ step: { steps, state, tone, label } }: { step: Step }) {
  return (
    <ol className={`stepper tone-${tone}`} data-state={state}>
      {steps.map(({ phase, mark }) => {
        const here = mark === 'here';
        return (
          <li key={phase} className={mark} data-phase={phase} aria-current={here ? 'step' : undefined}>
            <span className="disc">
              {here ? <Sign name={state} /> : mark === 'passed' && <Sign name="complete" />}
            </span>
            <span className="station">
              {here ? label : NAMES[phase]}
              {here && state !== phase && <span className="where">{whereabouts(phase, tone)}</span>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** A failure or a stop keeps the name of the station at which it happened. */
function whereabouts(phase: keyof typeof NAMES, tone: Tone): string {
  return `${tone === 'bad' ? 'while' : 'was'} ${NAMES[phase].toLowerCase()}`;
}
