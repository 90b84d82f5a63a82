/** Retrying from Temporal's own Web UI, by its buttons: Reset, and Start Workflow Like This One. */
import type { Browser, Locator, Page } from 'playwright-core';
import { CENTRAL_NODE, edgeRunWorkflowId } from '../../workflows/contract';
import { describeInBrowser, launchBrowser } from '../support/browser';
import type { Consortium } from '../support/consortium';
import { useFolder } from '../support/folder';
import { Patient } from '../support/patient';

jest.setTimeout(300_000);

const SITES = ['a', 'b'];
const patient = new Patient(useFolder(), SITES);

describeInBrowser('a person in the Temporal Web UI', () => {
  let consortium: Consortium;
  let consortiumId: string;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    consortium = await patient.open();
    consortiumId = (await consortium.api.listConsortia()).consortia[0]!.id;
    browser = await launchBrowser();
    page = await (await browser.newContext({ viewport: { width: 1600, height: 1200 } })).newPage();
    page.setDefaultTimeout(60_000);
  });
  beforeEach(() => {
    patient.mayGo(false);
    patient.fails('b', false);
  });
  afterAll(async () => {
    await browser.close();
    const unreplayable = await consortium.replayAll();
    await consortium.muster.end();
    expect(unreplayable).toEqual([]);
  });

  const start = async () => (await consortium.api.startRun({ path: { consortiumId } })).runId;

  async function running(): Promise<string> {
    const runId = await start();
    await consortium.up(runId);
    return runId;
  }

  async function failed(): Promise<string> {
    patient.fails('b', true);
    const runId = await start();
    await consortium.until(runId, ({ run }) => run.state === 'failed');
    patient.fails('b', false);
    return runId;
  }

  async function stopped(): Promise<string> {
    const runId = await running();
    await consortium.api.stopRun({ path: { runId }, body: { reason: 'for now' } });
    await consortium.until(runId, ({ run }) => run.state === 'stopped');
    return runId;
  }

  const button = (name: string) =>
    page.getByRole('button', { name, exact: true }).locator('visible=true').first();

  /** A question of its own that stays unanswered the Web UI does not ask again: whoever sees nothing loads it once more. */
  async function open(runId: string, shown: readonly Locator[] = [button('More Actions')]): Promise<void> {
    const { links } = await consortium.api.getRun({ path: { runId } });
    for (let patience = 3; ; patience -= 1) {
      await page.goto(links.temporal ?? '');
      try {
        for (const what of shown) await what.waitFor({ timeout: 20_000 });
        return;
      } catch (error) {
        if (patience === 1) throw error;
      }
    }
  }

  /** Reset, at the first or the last point that is offered, the boxes as they are. */
  async function reset(runId: string, point: 'first' | 'last'): Promise<void> {
    await open(runId);
    // Of a run at work it is one of the other actions.
    const inMenu = page.getByRole('menuitem', { name: 'Reset', exact: true }).locator('visible=true');
    if (await button('Reset').isVisible()) await button('Reset').click();
    else {
      await button('More Actions').click();
      await inMenu.click();
    }
    await page.getByTestId('workflow-reset-event-id-select-button').locator('visible=true').click();
    const points = page.locator('#reset-event-id-select [role=option]').locator('visible=true');
    await points.first().waitFor();
    await points[point]().click();
    await button('Confirm').click();
  }

  async function startLikeThis(runId: string, newId: boolean): Promise<string> {
    await open(runId);
    await button('More Actions').click();
    await page
      .getByRole('menuitem', { name: 'Start Workflow Like This One' })
      .locator('visible=true')
      .click();
    const id = page.getByLabel('Workflow ID', { exact: true }).locator('visible=true');
    await page.getByText('"dataset"').first().waitFor();
    if (newId) await id.fill(`${runId}-again`);
    const startedId = await id.inputValue();
    await button('Start Workflow').click();
    await page.getByText('Workflow started successfully').waitFor();
    return startedId;
  }

  /** The run is brought up by another launch, and completes everywhere. */
  async function completesAnew(runId: string, before: string | undefined): Promise<void> {
    const isAnew = ({ launchId, state }: { launchId?: string | undefined; state: string }) =>
      launchId !== undefined && launchId !== before && state !== 'failed' && state !== 'stopped';
    await consortium.muster.until('another launch', async () => {
      const found = (await consortium.api.listRuns()).runs.find((run) => run.runId === runId);
      return found && isAnew(found) ? found : undefined;
    });
    patient.mayGo(true);
    const { run, nodes } = await consortium.until(runId, ({ run }) => run.state === 'complete');
    expect(run.error ?? run.stop).toBeUndefined();
    expect(nodes.map(({ node, state }) => [node, state])).toEqual(
      [CENTRAL_NODE, ...SITES].map((node) => [node, 'complete']),
    );
  }

  const launchOf = async (runId: string) => (await consortium.api.getRun({ path: { runId } })).run.launchId;

  it.each([
    ['failed', failed, 'last'],
    ['failed', failed, 'first'],
    ['stopped', stopped, 'last'],
    ['running', running, 'last'],
    ['running', running, 'first'],
  ] as const)('resets a run that is %s, and it completes (%#)', async (_state, make, point) => {
    const runId = await make();
    const before = await launchOf(runId);
    await reset(runId, point);
    await completesAnew(runId, before);
  });

  it.each([
    ['failed', failed],
    ['stopped', stopped],
  ] as const)('starts a run like one that is %s, under its id, and it completes', async (_state, make) => {
    const runId = await make();
    const before = await launchOf(runId);
    expect(await startLikeThis(runId, false)).toBe(runId);
    await completesAnew(runId, before);
  });

  it('shows what a run was given and how it failed, of which Temporal itself has nothing in words', async () => {
    const runId = await failed();
    const { run } = await consortium.api.getRun({ path: { runId } });
    const [name, why] = [run.consortium.name, run.error?.message ?? ''];
    await open(
      runId,
      [name, why].map((text) => page.getByText(text).locator('visible=true').first()),
    );

    const parts = [runId, edgeRunWorkflowId(runId, 'b')];
    const history = (await Promise.all(parts.map((id) => consortium.rawHistory(id)))).join();
    // Words are found in it where there are any.
    expect(history.includes('superviseNode')).toBe(true);
    for (const text of [name, why]) expect([text, history.includes(text)]).toEqual([text, false]);
  });

  it('starts a run like one that is running, under another id, and both complete', async () => {
    const runId = await running();
    const another = await startLikeThis(runId, true);
    await completesAnew(another, undefined);
    await consortium.until(runId, ({ run }) => run.state === 'complete');
  });
});
