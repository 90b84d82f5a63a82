/** A site that asks a person before anything starts there, and lets its administrators answer on the page: with real workers. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMusterApi, type MusterApi } from '../../client';
import type { RunDetail } from '../../workflows/api-contract';
import type { Consortium } from '../support/consortium';
import { useFolder } from '../support/folder';
import { Patient } from '../support/patient';

jest.setTimeout(240_000);

const patient = new Patient(useFolder(), ['a', 'b']);
let consortium: Consortium;
let consortiumId: string;
/** Of somebody who administers the site `a`, and nothing else. */
let ada: MusterApi;

beforeAll(async () => {
  consortium = await patient.open();
  consortiumId = (await consortium.api.listConsortia()).consortia[0]!.id;
  ada = await administratorOf('a');
  appendFileSync(join(consortium.muster.state, 'sites', 'a', 'site.yaml'), 'approval: page\n');
});
afterAll(async () => {
  const unreplayable = await consortium.replayAll();
  await consortium.muster.end();
  expect(unreplayable).toEqual([]);
});

/** Accepts an invitation in a browser of their own; what they do here is done with a token that they make there. */
async function administratorOf(siteId: string): Promise<MusterApi> {
  const { origin: url } = consortium.page;
  const { code } = await consortium.api.invite({ body: { email: 'ada@example.org', sites: [siteId] } });
  let cookie = '';
  const browser = createMusterApi({
    url,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      request.headers.set('cookie', cookie);
      request.headers.set('origin', url);
      const answer = await fetch(request);
      cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
      return answer;
    },
  });
  await browser.acceptInvitation({ body: { code, name: 'Ada', password: 'three flippers and a beak' } });
  const expiresAt = Date.now() + 3_600_000;
  const { token } = await browser.createToken({ body: { name: 'of a test', scope: 'all', expiresAt } });
  return createMusterApi({ url, token });
}

/** What the site asks of a run, once its page shows it. */
const asked = (runId: string) =>
  consortium.muster.until('the run among those that wait', async () => {
    const { asks } = await ada.getSite({ path: { siteId: 'a' } });
    return asks.find((ask) => ask.runId === runId);
  });
const nodeOf = ({ nodes }: RunDetail, name: string) => nodes.find(({ node }) => node === name);
const waitsAtA = (detail: RunDetail) => nodeOf(detail, 'a')?.attention?.type === 'ApprovalNeeded';

it('a run waits there, is approved on the page by who administers the site, and is complete', async () => {
  const { runId } = await consortium.api.startRun({ path: { consortiumId } });
  await consortium.until(runId, waitsAtA);
  const ask = await asked(runId);
  expect(ask).toMatchObject({
    computation: { name: 'patient', version: '1' },
    consortium: { id: consortiumId },
  });
  const path = { siteId: 'a', askId: ask.id };
  await expect(ada.answerAsk({ path, body: { verdict: 'approved' } })).resolves.toMatchObject({
    by: 'ada@example.org',
  });
  const { run } = await consortium.ended(runId);
  expect(run.state).toBe('complete');
  const { asks } = await ada.getSite({ path: { siteId: 'a' } });
  expect(asks).toEqual([]);
});

it('a run that is refused on the page is refused there for good, by name and with the reason', async () => {
  const { runId } = await consortium.api.startRun({ path: { consortiumId } });
  await consortium.until(runId, waitsAtA);
  const path = { siteId: 'a', askId: (await asked(runId)).id };
  await ada.answerAsk({ path, body: { verdict: 'refused', why: 'not before the vote' } });
  const ended = await consortium.ended(runId);
  expect(ended.run.state).toBe('failed');
  expect(nodeOf(ended, 'a')).toMatchObject({
    state: 'refused',
    error: {
      type: 'RunRefused',
      message: 'site.yaml: approval: ada@example.org (on the page) refused this run: not before the vote',
    },
  });
});
