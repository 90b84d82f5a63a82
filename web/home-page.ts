/** The first page: the consortia, each with Start Run, and the runs. */
import type { ConsortiumView, RunSummary } from '../workflows/api-contract';
import type { Api } from './api';
import { pause, stayConnected } from './connection';
import { count, duration, list } from './format';
import type { Frame } from './frame';
import { runStanding } from './picture';
import { button, fill, h, keyed, type Child } from './render';
import { sign } from './signs';
import { growing, moment } from './times';

const REFRESH_MS = 4_000;
/** Names of sites that a consortium shows before it counts the rest. */
const MOST_NAMES = 6;
/** The newest runs, which are all that is listed. */
const MOST_RUNS = 50;

/** Shows the lists and keeps them fresh for as long as the page is open. */
export async function showHome(frame: Frame, api: Api): Promise<never> {
  document.title = 'Muster';
  const draw = createLists(frame, api);
  return stayConnected(async (heard) => {
    for (;;) {
      const [consortia, runs] = await Promise.all([api.consortia(), api.runs(MOST_RUNS)]);
      heard();
      draw(consortia, runs);
      await pause(REFRESH_MS);
    }
  }, frame.setConnection);
}

function createLists(frame: Frame, api: Api): (consortia: ConsortiumView[], runs: RunSummary[]) => void {
  const consortiumList = h('ul', { class: 'consortia' });
  const runList = h('ul', { class: 'runs' });
  const noConsortia = h(
    'p',
    { class: 'hint' },
    'There is no consortium yet. An administrator registers it with the central API.',
  );
  const noRuns = h('p', { class: 'hint' }, 'No run has been started yet.');
  const older = h('p', { class: 'hint' }, `These are the newest ${MOST_RUNS} runs.`);

  return (consortia, runs) => {
    if (!consortiumList.isConnected)
      frame.main.replaceChildren(
        h(
          'section',
          { 'aria-labelledby': 'consortia' },
          h('h1', { id: 'consortia' }, 'Consortia'),
          noConsortia,
          consortiumList,
        ),
        h('section', { 'aria-labelledby': 'runs' }, h('h1', { id: 'runs' }, 'Runs'), noRuns, runList, older),
      );
    noConsortia.hidden = consortia.length > 0;
    keyed(
      consortiumList,
      consortia,
      ({ id }) => id,
      ({ id }) => createCard(api, id),
      (card, consortium) => fill(card.firstElementChild ?? card, consortium, () => about(consortium)),
    );
    keyed(
      runList,
      runs,
      ({ runId }) => runId,
      () => h('li'),
      (item, run) => fill(item, run, () => [runLink(run)]),
    );
    noRuns.hidden = runs.length > 0;
    older.hidden = runs.length < MOST_RUNS;
  };
}

function about({ name, computation, sites, parameters, secrets = [] }: ConsortiumView): Child[] {
  const names = sites.slice(0, MOST_NAMES).map((site) => site.name);
  const rest = sites.length - names.length;
  return [
    h('h2', {}, name),
    h('p', { class: 'sub' }, `${computation.name} ${computation.version}`),
    h('p', {}, `${count(sites.length, 'site')}: `, list(rest > 0 ? [...names, `${rest} more`] : names)),
    parameterList(parameters, secrets),
  ];
}

/** What a run is started with. */
function parameterList(parameters: ConsortiumView['parameters'], secrets: readonly string[]): HTMLElement {
  const entries = Object.entries(parameters);
  if (entries.length + secrets.length === 0) return h('p', { class: 'hint' }, 'No parameters');
  return h(
    'dl',
    { class: 'parameters', 'aria-label': 'Parameters' },
    ...entries.flatMap(([name, value]) => [
      h('dt', {}, name),
      h('dd', {}, h('code', {}, typeof value === 'string' ? value : JSON.stringify(value))),
    ]),
    ...secrets.flatMap((pointer) => [h('dt', {}, pointer.slice(1)), h('dd', { class: 'hint' }, 'secret')]),
  );
}

function createCard(api: Api, consortiumId: string): HTMLElement {
  // One key until a run was started: however often the button is pressed or the network fails, it is one run.
  let key = randomKey();
  const problem = h('p', { class: 'problem', role: 'alert' });
  const start = button({ class: 'primary' }, () => void startRun(), 'Start run');

  async function startRun(): Promise<void> {
    start.disabled = true;
    start.textContent = 'Starting…';
    problem.textContent = '';
    try {
      const { runId } = await api.startRun(consortiumId, key);
      key = randomKey();
      location.assign(`/runs/${encodeURIComponent(runId)}`);
    } catch (error) {
      problem.textContent = `The run was not started. ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      start.disabled = false;
      start.textContent = 'Start run';
    }
  }

  return h('li', { class: 'card consortium' }, h('div'), h('div', { class: 'actions' }, start), problem);
}

function randomKey(): string {
  // Not randomUUID: browsers withhold it from pages that are not served over TLS.
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

function runLink(run: RunSummary): HTMLElement {
  const { sign: name, tone, label, ended } = runStanding(run);
  return h(
    'a',
    { class: `run tone-${tone}`, href: `/runs/${encodeURIComponent(run.runId)}` },
    h('span', { class: 'disc' }, sign(name)),
    h('b', { class: 'label' }, label),
    h('span', { class: 'what' }, run.consortium.name, h('code', {}, run.runId)),
    h('span', {}, moment(run.startedAt), ` by ${run.startedBy}`),
    h('span', { class: 'size' }, count(run.sites, 'site')),
    h('span', { class: 'length' }, ended ? duration(run.since - run.startedAt) : growing(run.startedAt)),
  );
}
