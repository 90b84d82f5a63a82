/** `muster people`, `muster invite` and `muster invitation`: who has an account, and who is to get one. */
import { InvalidArgumentError, type Command } from 'commander';
import { ConsortiumRole, type PersonView } from '../workflows/people-contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { everybody, findPerson } from './find-person';
import { examples } from './help';
import { day, JSON_OPTION, moment, print, printDone, type JsonOption } from './output';
import { createPrompt } from './prompt';
import { plain } from './progress';
import { table } from './table';
import { UsageError } from './usage-error';

type Where = ApiOptions & JsonOption;
interface InviteOptions extends Where {
  admin?: true;
  consortium: Readonly<Record<string, ConsortiumRole>>;
  site: readonly string[];
}

/** Adds the three. */
export function registerPeople(program: Command): void {
  const people = program.command('people').description('everybody who has an account (for admins)');
  withApiOptions(people.command('ls'))
    .description('list them')
    .option(...JSON_OPTION)
    .action(list);
  examples(
    withApiOptions(people.command('add <email> <name>'))
      .description(
        'make an account; you are asked for the password of its first sign-in, or it comes on standard input',
      )
      .option(...JSON_OPTION)
      .action(add),
    [
      'muster people add ada@example.org "Ada Lovelace"',
      'muster people add ada@example.org Ada < password.txt',
    ],
  );
  for (const [name, change, words] of CHANGES) {
    withApiOptions(people.command(name))
      .description(words)
      .argument('<person>', 'their e-mail address, or their id')
      .option(...JSON_OPTION)
      .action(async (person: string, { json, ...where }: Where) => {
        const api = await openApi(where);
        const { id, email } = await findPerson(api, person);
        const changed = await api.changePerson({ path: { personId: id }, body: change });
        print(json, changed, [`Done: ${plain(email)}, ${name}.`]);
      });
  }
  withApiOptions(people.command('reset-password'))
    .description('get a link by which somebody sets a password of their own anew')
    .argument('<person>', 'their e-mail address, or their id')
    .option(...JSON_OPTION)
    .action(reset);

  examples(
    withApiOptions(program.command('invite'))
      .description('invite somebody: get a link by which they get an account, or more to do')
      .argument('[email]', 'whom it is for; without it, whoever has the link')
      .option(
        '--consortium <id=role>',
        'what they may do in a consortium: viewer, member or lead; once for each',
        role,
        {},
      )
      .option(
        '--site <id>',
        'a site that they are to administer; once for each',
        (id: string, ids: readonly string[]) => [...ids, id],
        [],
      )
      .option('--admin', 'they may do everything')
      .option(...JSON_OPTION)
      .action(invite),
    [
      'muster invite ada@example.org --consortium penguins=lead',
      'muster invite ops@biscoe.org --site biscoe',
    ],
  );

  const invitation = program.command('invitation').description('invitations that are open, or were');
  withApiOptions(invitation.command('ls'))
    .description('list them')
    .option(...JSON_OPTION)
    .action(listInvitations);
  withApiOptions(invitation.command('revoke'))
    .description('make a link useless')
    .argument('<id>', 'its id, as `muster invitation ls` shows it')
    .option(...JSON_OPTION)
    .action(async (id: string, { json, ...where }: Where) => {
      await (await openApi(where)).revokeInvitation({ path: { id } });
      printDone(json, `The invitation ${id} is no longer good.`);
    });
}

const CHANGES = [
  ['disable', { disabled: true }, 'end their sessions and tokens, and let them sign in no more'],
  ['enable', { disabled: false }, 'let them sign in again'],
  ['make-admin', { admin: true }, 'let them do everything'],
  ['unmake-admin', { admin: false }, 'let them do only what they were granted'],
] as const;

async function list({ json, ...where }: Where): Promise<void> {
  const people = await everybody(await openApi(where));
  print(json, { people }, peopleTable(people));
}

export function peopleTable(people: readonly PersonView[]): string[] {
  return table([
    ['ID', 'E-MAIL', 'NAME', 'SINCE', 'MAY'],
    ...people.map(({ id, email, name, createdAt, disabledAt, admin, consortia, sites }) => {
      const may = [
        ...(admin ? ['everything'] : []),
        ...Object.entries(consortia).map(([consortium, is]) => `${consortium}: ${is}`),
        ...sites.map((site) => `site ${site}`),
      ];
      const is = disabledAt === undefined ? may.join(', ') || '-' : `disabled since ${day(disabledAt)}`;
      return [id, plain(email), plain(name), day(createdAt), is];
    }),
  ]);
}

async function add(email: string, name: string, { json, ...where }: Where): Promise<void> {
  const api = await openApi(where);
  const prompt = createPrompt();
  const password = await prompt.askSecret('Password of the first sign-in: ').finally(() => prompt.close());
  const made = await api.addPerson({ body: { email, name, password } });
  print(json, made, [
    `${plain(made.email)} has an account, and chooses another password at the first sign-in.`,
  ]);
}

async function reset(person: string, { json, ...where }: Where): Promise<void> {
  const api = await openApi(where);
  const { id } = await findPerson(api, person);
  const made = await api.resetPassword({ path: { personId: id } });
  print(json, made, linkText(made));
}

async function invite(email: string | undefined, options: InviteOptions): Promise<void> {
  const { admin = false, consortium: consortia, site: sites, json, ...where } = options;
  if (!admin && sites.length === 0 && Object.keys(consortia).length === 0)
    throw new UsageError('Say what they are to do: --consortium ID=ROLE, --site ID or --admin.');
  const body = { ...(email !== undefined && { email }), admin, consortia, sites: [...sites] };
  const made = await (await openApi(where)).invite({ body });
  print(json, made, linkText(made));
}

const linkText = ({ link, expiresAt }: { link: string; expiresAt: number }) => [
  link,
  '',
  `It is good once, until ${moment(expiresAt)}. Give it to nobody else: it is not kept anywhere.`,
];

function role(
  text: string,
  before: Readonly<Record<string, ConsortiumRole>>,
): Record<string, ConsortiumRole> {
  const [, id = '', name] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  const is = ConsortiumRole.safeParse(name);
  if (id === '' || !is.success)
    throw new InvalidArgumentError(
      'It is a consortium and a role, such as penguins=viewer, =member or =lead.',
    );
  return { ...before, [id]: is.data };
}

async function listInvitations({ json, ...where }: Where): Promise<void> {
  const answer = await (await openApi(where)).listInvitations();
  const rows = answer.invitations.map(({ id, email, createdBy, expiresAt, usedAt, resets, ...grants }) => {
    const may = [
      ...(resets ? ['a new password'] : []),
      ...(grants.admin ? ['everything'] : []),
      ...Object.entries(grants.consortia).map(([consortium, is]) => `${consortium}: ${is}`),
      ...grants.sites.map((site) => `site ${site}`),
    ];
    const until = usedAt === undefined ? `until ${day(expiresAt)}` : `used ${day(usedAt)}`;
    return [id, plain(email ?? 'whoever has the link'), until, plain(createdBy), may.join(', ') || '-'];
  });
  print(
    json,
    answer,
    rows.length === 0 ? ['No invitations.'] : table([['ID', 'FOR', 'GOOD', 'BY', 'FOR WHAT'], ...rows]),
  );
}
