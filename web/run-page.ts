/** A run's page: its picture as it happens. */
import type { Api } from './api';
import { stayConnected } from './connection';
import { createCrowd } from './crowd';
import { drawErrors } from './error-list';
import { readEvents } from './events';
import { duration } from './format';
import type { Frame } from './frame';
import { fromDetail, withEvent, type RunModel } from './model';
import { MOST_ROWS, picture, type Picture, type Verdict } from './picture';
import { fill, h, type Child } from './render';
import { drawStepper } from './stepper';
import { createStop, type Stop } from './stop';
import { growing, moment } from './times';
import { drawTracks, fileList, phaseHeadings } from './tracks';

/** The server sends a heartbeat several times within this. */
const SILENCE_MS = 45_000;
/** Events that come together are drawn together. */
const TOGETHER_MS = 50;

/** Shows the run and follows it for as long as the page is open. */
export async function showRun(frame: Frame, api: Api, runId: string): Promise<never> {
  document.title = `${runId} – Muster`;
  let known: RunModel | undefined;
  let lastEventId = 0;
  let draw: ((picture: Picture) => void) | undefined;

  const show = gathered(() => {
    if (known) draw?.(picture(known));
  });

  async function load(): Promise<RunModel> {
    const detail = await api.run(runId);
    lastEventId = detail.lastEventId;
    draw = createPicture(frame, createStop(api, runId), detail.links.temporal);
    return fromDetail(detail);
  }

  async function follow(heard: () => void): Promise<void> {
    known ??= await load();
    show();
    const stream = await api.events(runId, lastEventId);
    heard();
    for await (const event of readEvents(stream, SILENCE_MS, heard)) {
      known = withEvent(known, event);
      lastEventId = event.id;
      show();
    }
  }

  return stayConnected(follow, frame.setConnection);
}

/** `act`, once for all the calls that come within a moment. */
function gathered(act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      act();
    }, TOGETHER_MS);
  };
}

/** Lays the page out; what is returned draws a picture into it. */
function createPicture(frame: Frame, stop: Stop, temporal: string | undefined): (picture: Picture) => void {
  const title = h('div', { class: 'title' });
  const stepper = h('ol', { class: 'stepper' });
  const outcome = h('div', { class: 'outcome' });
  const sites = createSites();
  const errors = h('section', { class: 'card', hidden: true });
  const results = h('section', { class: 'card', hidden: true });
  const actions = h('div', { class: 'actions' }, temporalLink(temporal), stop.button);
  frame.main.replaceChildren(
    h('header', { class: 'hero' }, title, actions),
    h('section', { class: 'card', 'aria-label': 'The run' }, stepper, outcome, stop.panel),
    sites.element,
    errors,
    results,
  );
  return (now) => {
    const { run, step } = now;
    document.title = `${step.label} · ${run.consortium.name} – Muster`;
    fill(title, [run, step], () => titleOf(now));
    drawStepper(stepper, step);
    fill(outcome, now.verdict, () => [now.verdict && verdictOf(now.verdict)]);
    sites.draw(now);
    stop.draw(now);
    drawErrors(errors, now.errors);
    drawResults(results, run.results ?? []);
    frame.say(now.spoken);
  };
}

/** The address comes from the API's configuration; only a web address becomes a link. */
function temporalLink(address: string | undefined): HTMLElement | undefined {
  if (address === undefined || !/^https?:\/\//.test(address)) return undefined;
  return h(
    'a',
    { class: 'button', href: address, target: '_blank', rel: 'noopener noreferrer' },
    'Open in Temporal',
  );
}

function titleOf({ run, step }: Picture): Child[] {
  const { consortium, computation, startedAt, startedBy, runId } = run;
  const length = step.ended ? [`took ${duration(step.since - startedAt)}`] : [growing(startedAt), ' so far'];
  return [
    h('p', { class: 'crumb' }, h('a', { href: '/' }, 'Runs'), ' / ', h('code', {}, runId)),
    h('h1', {}, consortium.name),
    h(
      'p',
      { class: 'sub' },
      `${computation.name} ${computation.version} · started `,
      moment(startedAt),
      ` by ${startedBy} · `,
      ...length,
    ),
  ];
}

function verdictOf({ tone, title, text }: Verdict): HTMLElement {
  return h('p', { class: `verdict tone-${tone}`, role: 'status' }, h('b', {}, title), text);
}

interface Sites {
  element: HTMLElement;
  draw(picture: Picture): void;
}

/** The picture of the nodes: a row each, or the central node's row and a mosaic when there are many. */
function createSites(): Sites {
  const central = h('ul', { class: 'tracks' });
  const rows = h('ul', { class: 'tracks' });
  const crowd = createCrowd();
  const element = h(
    'section',
    { class: 'card picture', 'aria-label': 'Nodes' },
    phaseHeadings(),
    central,
    rows,
  );
  return {
    element,
    draw(now) {
      drawTracks(central, now.central ? [now.central] : []);
      const many = now.sites.length > MOST_ROWS;
      if (many && rows.isConnected) rows.replaceWith(crowd.element);
      if (many) crowd.draw(now);
      else drawTracks(rows, now.sites);
    },
  };
}

function drawResults(
  section: HTMLElement,
  results: readonly { name: string; size: number; sha256: string }[],
): void {
  section.hidden = results.length === 0;
  fill(section, results, () => [h('h2', {}, 'Results of the central node'), fileList(results)]);
}
