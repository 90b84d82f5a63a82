/** Draws how far a run is along its way: one station after the other, and what happened where it is. */
import type { Step, Tone } from './picture';
import { fill, h, setAttribute } from './render';
import { sign } from './signs';

const NAMES: Record<Step['steps'][number]['phase'], string> = {
  provisioning: 'Provisioning',
  publishing: 'Publishing kits',
  launching: 'Launching',
  running: 'Running',
  complete: 'Complete',
};

/** Draws `step` into `list`. */
export function drawStepper(list: HTMLOListElement, { steps, state, tone, label }: Step): void {
  list.className = `stepper tone-${tone}`;
  setAttribute(list, 'data-state', state);
  fill(list, [steps, state], () =>
    steps.map(({ phase, mark }) => {
      const here = mark === 'here';
      const name = here ? label : NAMES[phase];
      const detour = here && state !== phase;
      return h(
        'li',
        { class: mark, 'data-phase': phase, 'aria-current': here && 'step' },
        h('span', { class: 'disc' }, here ? sign(state) : mark === 'passed' && sign('complete')),
        h(
          'span',
          { class: 'station' },
          name,
          detour && h('span', { class: 'where' }, whereabouts(phase, tone)),
        ),
      );
    }),
  );
}

/** A failure or a stop keeps the name of the station at which it happened. */
function whereabouts(phase: keyof typeof NAMES, tone: Tone): string {
  return `${tone === 'bad' ? 'while' : 'was'} ${NAMES[phase].toLowerCase()}`;
}
