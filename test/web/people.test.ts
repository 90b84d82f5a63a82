/** Who may do what, as people see it: giving and taking it, what is asked before, and what is not for everybody. */
import { OidcFailure } from '../../workflows/people-contract';
import { wordsOfSignInFailure } from '../../web/sign-in-words';
import { describeInBrowser } from '../support/browser';
import { problem } from '../support/contract-server';
import { useThePage } from './on-the-page';
import * as scenes from './scenes';

describeInBrowser('people on the page', () => {
  const on = useThePage();

  test('one invitation gives several things at once', async () => {
    on.server.answers.set('POST invitations', {
      ...{ id: 'i2', code: 'c', link: 'https://muster.example/invitation#c', expiresAt: Date.now() + 9_000 },
    });
    await on.open('/admin/people');
    await on.page.getByText('Invite somebody').click();
    const form = on.page.locator('details').filter({ hasText: 'Invite somebody' });
    await form.getByLabel('E-mail (optional)').fill('lise@example.org');
    await form.getByText('As an administrator').click();
    await form.getByRole('button', { name: 'Add a consortium' }).click();
    await on.page.getByRole('option', { name: /Penguins/ }).click();
    await form.getByRole('button', { name: /Role in Penguins/ }).click();
    await on.page.getByRole('option', { name: 'lead' }).click();
    for (const site of ['Biscoe', 'Dream', 'Torgersen']) {
      await form.getByRole('button', { name: 'Add a site' }).click();
      await on.page.getByRole('option', { name: site }).click();
    }
    await on.button('Leave out Dream').click();
    await form.getByRole('button', { name: 'Make a link' }).click();
    await on.see('https://muster.example/invitation#c', form);
    expect(on.sent('POST', 'invitations')).toMatchObject([
      {
        body: {
          ...{ email: 'lise@example.org', admin: true },
          ...{ consortia: { penguins: 'lead' }, sites: ['biscoe', 'torgersen'] },
        },
      },
    ]);
  });

  test('an open invitation says what it gives', async () => {
    await on.open('/admin/people');
    await on.see('an account', on.page.getByRole('row').filter({ hasText: 'lise@example.org' }));
    on.server.answers.set('GET invitations', {
      invitations: [
        {
          ...{ id: 'i1', email: 'lise@example.org', createdBy: 'ada', createdAt: scenes.ago(60) },
          ...{ expiresAt: scenes.ago(-500_000), admin: true, resets: false },
          ...{ consortia: { penguins: 'lead' }, sites: ['biscoe', 'dream'] },
        },
      ],
    });
    await on.open('/admin/people');
    const row = on.page.getByRole('row').filter({ hasText: 'lise@example.org' });
    for (const gift of ['everything', 'lead of penguins', 'administers biscoe, dream'])
      await on.see(gift, row);
  });

  const ASKED: readonly (readonly [string, string, RegExp, string, string])[] = [
    ['/admin/people', 'Disable Emmy', /Disable the account of Emmy/, 'PATCH', 'people/p2'],
    ['/admin/people', 'Make administrator Emmy', /Make Emmy an administrator/, 'PATCH', 'people/p2'],
    [
      ...(['/admin/people', 'Take back the invitation for lise@example.org'] as const),
      ...([/Take the invitation back/, 'DELETE', 'invitations/i1'] as const),
    ],
    [
      ...(['/admin/computations', 'Remove penguins-regression 1.0.0'] as const),
      ...([/Remove penguins-regression/, 'DELETE', 'computations/penguins-regression/1.0.0'] as const),
    ],
    ['/consortia/penguins', 'Remove Emmy', /Remove Emmy/, 'DELETE', 'consortia/penguins/people/p2'],
    ['/consortia/penguins', 'Archive', /Archive Penguins/, 'PATCH', 'consortia/penguins'],
    ['/me', 'Delete nightly job', /Delete the token nightly job/, 'DELETE', 'me/tokens/t1'],
  ];

  test.each(ASKED)('%s: “%s” is asked about before it is done', async (path, name, title, method, call) => {
    on.server.answers.set(`${method} ${call}`, method === 'DELETE' ? null : scenes.inviting());
    if (path === '/admin/people')
      on.server.answers.set('PATCH people/p2', {
        ...{ id: 'p2', name: 'Emmy', email: 'emmy@example.org', admin: false, consortia: {}, sites: [] },
        ...{ createdAt: 1, signsIn: [] },
      });
    await on.open(path);
    await on.button(name).click();
    await on.dialog().getByRole('heading', { name: title }).waitFor();
    await on.page.keyboard.press('Enter');
    await on.dialog().waitFor({ state: 'hidden' });
    expect(on.sent(method, call)).toEqual([]);
    await on.button(name).click();
    const done = on.until(method, call);
    await on
      .dialog()
      .getByRole('button', { name: name.split(' ')[0]! })
      .last()
      .click();
    await done;
    expect(on.sent(method, call)).toHaveLength(1);
  });

  test('what is undone as easily is done at once', async () => {
    on.server.answers.set('DELETE consortia/penguins/sites/gentoo', null);
    await on.open('/consortia/penguins');
    const done = on.until('DELETE', 'consortia/penguins/sites/gentoo');
    await on.button('Take back Gentoo').click();
    await done;
  });

  test('why something was refused stands beside what asked for it', async () => {
    on.server.instead = ({ method }) =>
      method === 'DELETE'
        ? problem(409, 'In use', { detail: 'penguins-regression 1.0.0 is the computation of penguins.' })
        : undefined;
    await on.open('/admin/computations');
    await on.button('Remove penguins-regression 1.0.0').click();
    await on.button('Remove', on.dialog()).click();
    await on.see('penguins-regression 1.0.0 is the computation of penguins.');
  });

  test.each(['/admin/people', '/admin/computations', '/admin/health', '/admin/audit'])(
    '%s says whom it is for to somebody for whom it is not',
    async (path) => {
      on.server.me = { ...scenes.grace(), consortia: { penguins: 'member' } };
      await on.open(path);
      await on.page.getByRole('heading', { level: 1, name: /^This page is for administrators/ }).waitFor();
      await on.see('You are signed in as Grace (grace@example.org).');
      const asked = on.server.seen
        .map(({ path: call }) => call)
        .filter((call) => !call.startsWith('/api/me'));
      // The stream of changes may have had to be opened again.
      expect([...new Set(asked)]).toEqual(['/api/session', '/api/events']);
    },
  );

  test.each(['/runs/penguins-1', '/consortia/penguins'])(
    '%s, where one may not see it, says what to do',
    async (path) => {
      on.server.me = { ...scenes.grace(), consortia: {}, sites: [] };
      on.server.instead = ({ path: call }) =>
        call.startsWith(`/api${path}`) ? problem(403, 'Forbidden', { detail: 'no' }) : undefined;
      await on.open(path);
      await on.page.getByRole('heading', { level: 1, name: /^You may not see this/ }).waitFor();
      await on.see('can ask a lead of its consortium to invite you');
      await on.see('You are signed in as Grace');
    },
  );

  test.each(OidcFailure.options)('a sign-in that the provider ends as “%s” says why', async (failed) => {
    await on.page.goto(`${on.server.url}/sign-in?failed=${failed}`);
    await on.page
      .getByRole('alert')
      .filter({ hasText: wordsOfSignInFailure(failed) })
      .waitFor();
  });

  test('a sign-in that failed for a reason of a newer API says that nobody was signed in', async () => {
    await on.page.goto(`${on.server.url}/sign-in?failed=${encodeURIComponent('<b>else</b>')}`);
    await on.see('You were not signed in (<b>else</b>). Try again.');
  });
});
