/** Being told of what happens to runs, set up on the page. */
import { fateOf, nameFor, standingOf } from '../../web/notices/words';
import { describeInBrowser } from '../support/browser';
import { json, problem } from '../support/contract-server';
import { useThePage } from './on-the-page';
import * as scenes from './scenes';

const NOTICES = 'consortia/penguins/notices';
const [webhook, mail] = scenes.notices().notices;

describe('the words for notices', () => {
  test('a receiver is named after where it is, and none has the name of another', () => {
    expect(nameFor('https://hooks.example.org/muster', [])).toBe('hooks-example-org');
    expect(nameFor('Lab@Example.org', ['lab-example-org'])).toBe('lab-example-org-2');
    expect(nameFor('Lab@Example.org', ['lab-example-org', 'lab-example-org-2'])).toBe('lab-example-org-3');
    expect(nameFor('@', [])).toBe('receiver');
    expect(nameFor(`https://${'a'.repeat(60)}.org`, ['a'.repeat(36)]).length).toBeLessThanOrEqual(40);
  });

  test('what became of one says why it did not arrive', () => {
    const one = { ...webhook!.deliveries[0]!, createdAt: 0 };
    expect(fateOf({ ...one, state: 'delivered', attempts: 1 })).toBe('arrived');
    expect(fateOf({ ...one, state: 'delivered', attempts: 3 })).toBe('arrived at attempt 3');
    expect(fateOf({ ...one, state: 'failed' })).toBe('did not arrive: It answered with status 502.');
    expect(fateOf({ ...one, state: 'pending', attempts: 0 })).toMatch(/^on its way/);
    expect(fateOf({ ...one, state: 'withdrawn' })).toBe('was not needed any more');
  });

  test('a receiver that was switched off says how it is switched on', () => {
    const off = { at: 5, reason: 'It answered with status 410.' };
    expect(standingOf({ ...webhook!, off })).toMatchObject({
      ...{ tone: 'bad', since: 5 },
      says: expect.stringContaining('Save it once more') as string,
    });
  });
});

describeInBrowser('notices on the page', () => {
  const on = useThePage();

  test('a lead sees who is told, of what, and what came of it', async () => {
    await on.open('/consortia/penguins');
    await on.see('https://example.org/hooks/muster');
    await on.see('when a run fails or waits for somebody');
    await on.see('nothing has reached it; it is still tried');
    await on.page.getByLabel('What was sent last to lab-chat').click();
    await on.see('tried 3 times: It answered with status 502.');
    await on.page.getByLabel('What was sent last to lab-example-org').click();
    await on.see('arrived');
  });

  test('a webhook is set up; its secret is shown once, and can be copied', async () => {
    on.server.answers.set(`GET ${NOTICES}`, { notices: [], noMailServer: false });
    await on.open('/consortia/penguins');
    await on.see('Nobody is told yet when a run finishes, fails or waits.');
    await on.page.getByText('Tell somebody else').click();
    await on.page.getByText('Webhook', { exact: true }).click();
    await on.page.getByLabel('Address that is posted to').fill('https://example.org/hooks/muster');
    await on.page.getByText('A run has finished or was stopped').click();
    const notice = { ...webhook!, id: 'example-org', deliveries: [], failingSince: undefined };
    on.server.answers.set(`PUT ${NOTICES}/example-org`, { notice, secret: 'whsec_shown-this-once' });
    on.server.answers.set(`GET ${NOTICES}`, { notices: [notice], noMailServer: false });
    await on.button('Save').click();
    await on.see('whsec_shown-this-once');
    await on.see('nothing was sent to it yet');
    await on.button('Copy the secret').waitFor();
    expect(on.sent('PUT', `${NOTICES}/example-org?renewSecret=false`)).toMatchObject([
      {
        body: {
          ...{ kind: 'webhook', url: 'https://example.org/hooks/muster' },
          on: ['finished', 'failed', 'waiting'],
        },
      },
    ]);
    await on.page.reload();
    await on.see('nothing was sent to it yet');
    expect(await on.page.getByText('whsec_').count()).toBe(0);
  });

  test('an address that the API does not take is said to be wrong, and stays in the form', async () => {
    await on.open('/consortia/penguins');
    await on.page.getByText('Tell somebody else').click();
    await on.page.getByText('Webhook', { exact: true }).click();
    await on.page.getByLabel('Address that is posted to').fill('http://example.org/hook');
    on.server.instead = ({ method }) =>
      method === 'PUT'
        ? problem(400, 'Invalid', {
            errors: [{ pointer: '/url', detail: 'must be an address like https://…' }],
          })
        : undefined;
    await on.button('Save').click();
    await on.see('/url: must be an address like https://…');
    expect(await on.page.getByLabel('Address that is posted to').inputValue()).toBe(
      'http://example.org/hook',
    );
  });

  test('what a receiver is told of is changed, and it is removed after a question', async () => {
    await on.open('/consortia/penguins');
    await on.button('Change lab-example-org').click();
    on.server.answers.set(`PUT ${NOTICES}/lab-example-org`, { notice: mail });
    await on.page.locator('.notices').getByText('A run has failed').click();
    const saved = on.until('PUT', `${NOTICES}/lab-example-org?renewSecret=false`);
    await on.button('Save', on.page.locator('.notices')).click();
    await saved;
    expect(on.sent('PUT', `${NOTICES}/lab-example-org?renewSecret=false`)).toMatchObject([
      { body: { kind: 'email', to: 'lab@example.org', on: ['finished', 'failed'] } },
    ]);

    // The form closes once the list has been asked for again.
    await on.button('Save', on.page.locator('.notices')).waitFor({ state: 'detached' });
    on.server.answers.set(`DELETE ${NOTICES}/lab-example-org`, null);
    on.server.answers.set(`GET ${NOTICES}`, { notices: [webhook], noMailServer: false });
    await on.button('Remove lab-example-org').click();
    await on.button('Remove', on.dialog()).click();
    await on.page.getByRole('heading', { name: 'lab-example-org' }).waitFor({ state: 'detached' });
    expect(on.sent('DELETE', `${NOTICES}/lab-example-org`)).toHaveLength(1);
  });

  test('a new secret is asked for only after a question', async () => {
    await on.open('/consortia/penguins');
    await on.button('New secret for lab-chat').click();
    on.server.answers.set(`PUT ${NOTICES}/lab-chat`, { notice: webhook, secret: 'whsec_another' });
    await on.button('New secret', on.dialog()).click();
    await on.see('whsec_another');
    expect(on.sent('PUT', `${NOTICES}/lab-chat?renewSecret=true`)).toMatchObject([
      { body: { kind: 'webhook', url: 'https://example.org/hooks/muster', on: ['failed', 'waiting'] } },
    ]);
  });

  test('a receiver is tried out, and what became of that is seen without asking', async () => {
    const tested = (state: 'pending' | 'delivered') => ({
      notices: [
        {
          ...mail!,
          deliveries: [{ id: 'd3', event: 'test', state, attempts: 0, createdAt: Date.now() }],
        },
      ],
      noMailServer: false,
    });
    on.server.answers.set(`POST ${NOTICES}/lab-example-org/test`, { deliveryId: 'd3' });
    let state: 'pending' | 'delivered' = 'pending';
    await on.open('/consortia/penguins');
    await on.see('was reached');
    on.server.instead = ({ method, path }) =>
      method === 'GET' && path === `/api/${NOTICES}` ? json(200, tested(state)) : undefined;
    await on.button('Try it lab-example-org').click();
    await on.page.getByLabel('What was sent last to lab-example-org').click();
    await on.see('on its way');
    state = 'delivered';
    on.server.tell({ type: 'consortium', consortiumId: 'penguins' });
    await on.see('arrived');
  });

  test('where no mail gets out, leads and everybody else are told so', async () => {
    on.server.answers.set(`GET ${NOTICES}`, { notices: [mail], noMailServer: true });
    on.server.answers.set('GET me/notices', { on: ['failed'], noMailServer: true });
    for (const path of ['/consortia/penguins', '/me']) {
      await on.open(path);
      await on.see('No mail gets out of this instance');
      await on.see('MUSTER_SMTP_URL');
    }
  });

  test('who does not lead a consortium is not shown who is told', async () => {
    on.server.me = { ...scenes.grace(), consortia: { penguins: 'member' } };
    await on.open('/consortia/penguins');
    await on.see('Changed the parameters.');
    expect(on.sent('GET', NOTICES)).toEqual([]);
  });

  test('one chooses for oneself what to be told of by mail', async () => {
    on.server.me = scenes.grace();
    await on.open('/me');
    await on.see('You get no mails.');
    on.server.answers.set('PUT me/notices', { on: ['failed'], noMailServer: false });
    await on.page.getByText('A run has failed').click();
    await on.see('It goes to grace@example.org');
    expect(on.sent('PUT', 'me/notices')).toMatchObject([{ body: { on: ['failed'] } }]);
  });
});
