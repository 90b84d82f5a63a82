/** Stopping a run: the button, the question before it, and the confirmations as they come in. */
import type { Api } from './api';
import { count, list } from './format';
import { mayStop, MOST_ROWS, type Picture } from './picture';
import { button, fill, h, type Child } from './render';
import { moment } from './times';

export interface Stop {
  button: HTMLButtonElement;
  /** Where the stop's progress is told. */
  panel: HTMLElement;
  draw(picture: Picture): void;
}

export function createStop(api: Api, runId: string): Stop {
  let asked = false;
  let shown: Picture | undefined;
  const panel = h('section', { class: 'stop-panel', 'aria-label': 'Stop', hidden: true });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const press = button({ class: 'danger' }, () => dialog.open(shown), 'Stop run');
  const dialog = createDialog((reason) => void ask(reason));

  async function ask(reason: string | undefined): Promise<void> {
    asked = true;
    problem.textContent = '';
    redraw();
    try {
      await api.stopRun(runId, reason);
    } catch (error) {
      asked = false;
      problem.textContent = `The stop was not accepted. ${error instanceof Error ? error.message : String(error)}`;
    }
    redraw();
  }

  function redraw(): void {
    if (shown) draw(shown);
  }

  function draw(picture: Picture): void {
    shown = picture;
    // From here on the run says so itself; a run that is reset may be stopped again.
    if (picture.run.stop) asked = false;
    const possible = mayStop(picture);
    press.hidden = picture.step.ended;
    press.disabled = asked || !possible;
    fill(press, [asked, possible], () => [asked || !possible ? 'Stopping…' : 'Stop run']);
    const { stop } = picture;
    panel.hidden = !stop && problem.textContent === '' && !asked;
    fill(panel, [stop, asked, problem.textContent, picture.step.state], () => [
      problem.textContent !== '' && problem,
      asked && !stop && h('p', {}, 'The stop is on its way to the run…'),
      ...told(picture),
    ]);
  }

  return { button: press, panel, draw };
}

function told({ stop, step }: Picture): Child[] {
  if (!stop) return [];
  const { by, at, reason, total, confirmed, outstanding, unconfirmed } = stop;
  const few = total <= MOST_ROWS;
  const bar = h('progress', { max: total, value: confirmed.length, 'aria-label': 'Confirmed stops' });
  return [
    h(
      'p',
      {},
      h('b', {}, `Stop asked for by ${by}`),
      ' at ',
      moment(at),
      reason !== undefined && `: “${reason}”`,
    ),
    !step.ended && bar,
    h(
      'p',
      {},
      `${confirmed.length} of ${count(total, 'node')} confirmed`,
      few && confirmed.length > 0 && `: ${list(confirmed)}`,
      '.',
    ),
    outstanding.length > 0 &&
      h(
        'p',
        {},
        few ? `Waiting for ${list(outstanding)}.` : `Waiting for ${count(outstanding.length, 'node')}.`,
      ),
    unconfirmed.length > 0 &&
      h(
        'p',
        { class: 'trouble' },
        `Not confirmed: ${list(unconfirmed.slice(0, MOST_ROWS))}. Check what still runs there.`,
      ),
  ];
}

interface Question {
  open(picture: Picture | undefined): void;
}

function createDialog(onConfirmed: (reason: string | undefined) => void): Question {
  const what = h('p');
  const reason = h('input', { id: 'reason', maxlength: 500, autocomplete: 'off' });
  const close = () => dialog.close();
  const form = h(
    'form',
    {},
    h('h2', { id: 'stop-title' }, 'Stop this run?'),
    what,
    h('label', { for: 'reason' }, 'Reason (optional)'),
    reason,
    h(
      'div',
      { class: 'buttons' },
      button({ autofocus: true }, close, 'Keep it running'),
      h('button', { type: 'submit', class: 'danger' }, 'Stop run'),
    ),
  );
  const dialog = h('dialog', { 'aria-labelledby': 'stop-title' }, form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    close();
    onConfirmed(reason.value.trim() || undefined);
  });
  return {
    open(picture) {
      if (!dialog.isConnected) document.body.append(dialog);
      const sites = picture?.sites.length ?? 0;
      what.textContent = `The central node and ${count(sites, 'site')} are asked to end now. A stop is final: the run does not go on afterwards.`;
      dialog.showModal();
    },
  };
}
