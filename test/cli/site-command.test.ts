/** `muster site` as a person types it: the built command, against an API that listens. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readIdentity } from '../../client/identity-folder';
import { SiteInvitation } from '../../workflows/identity-contract';
import { admin, lead, type Bearer } from '../server/server';
import { useSiteApi } from '../server/site-api';
import { useFolder } from '../support/folder';

const CLI = join(__dirname, '../../dist/cli/main.js');
const run = promisify(execFile);

describe('muster site', () => {
  const api = useSiteApi();
  const folder = useFolder();
  let url = '';

  beforeAll(async () => {
    url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  });

  /** What the command says, and how it ends. */
  async function muster(args: string[], as: Bearer = admin) {
    const env = {
      PATH: process.env.PATH,
      MUSTER_API_URL: url,
      MUSTER_API_TOKEN: await api.server.tokenOf(as),
    };
    return run(process.execPath, [CLI, 'site', ...args], { env, cwd: folder }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: unknown) => error as { code: number; stdout: string; stderr: string },
    );
  }

  it('adds a site, lets it join once, and cuts it off', async () => {
    const added = await muster(['add', 'biscoe', '--expires', '2d']);
    const [, command = ''] = /^ {2}muster site (join .*)$/m.exec(added.stdout) ?? [];
    const joined = await muster([...command.split(' '), '--dir', 'biscoe']);
    expect([joined.stderr, joined.code]).toEqual(['', 0]);
    expect(joined.stdout).toMatch(
      /^biscoe has joined; .*\nSay in .*biscoe\/site\.yaml what may run here; .*\n$/,
    );
    const { certificate: cert, key } = await readIdentity(join(folder, 'biscoe'));
    const presence = { state: 'here' as const, runtimes: [], version: '1' };
    await api.as({ cert, key }).reportPresence('biscoe', presence);

    const again = await muster([...command.split(' '), '--dir', 'again']);
    expect([again.code, again.stderr]).toEqual([
      1,
      `error: The central API refused POST /api/sites/biscoe/certificate (410): The enrolment code was used before: ` +
        'The code of biscoe was used before. Ask for a new one: `muster site add` makes it.\n',
    ]);
    expect(await readdir(join(folder, 'again'))).toEqual([]);

    const revoked = await muster(['revoke', 'biscoe', '--why', 'its machine was stolen']);
    expect(revoked.stdout).toBe(
      'biscoe is cut off: 1 certificate was good until now. `muster site add biscoe` lets it join again.\n',
    );
    await expect(api.as({ cert, key }).reportPresence('biscoe', presence)).rejects.toThrow(
      /\(403\): The certificate was revoked: The certificate of biscoe was revoked\. Join again, .*\.$/,
    );
  });

  it('gives the code as JSON to a program that asks for it', async () => {
    const { stdout } = await muster(['add', 'dream', '--json'], lead());
    expect(SiteInvitation.parse(JSON.parse(stdout))).toMatchObject({ siteId: 'dream', siteApiUrl: api.url });
  });

  it.each([
    [['add', 'Not-An-Id'], 2, /^error: "Not-An-Id" is not the id of a site: use a-z, 0-9 and - only\.\n$/],
    [
      ['add', 'a', '--expires', 'soon'],
      2,
      /^error: .*'soon' is invalid\. It is a time such as 12h or 3d.*\n$/,
    ],
    [['add', 'a', '--expires', '99d'], 2, /at most 14d\.\n$/],
    [['join', 'https://127.0.0.1:9', 'half-a-code'], 2, /^error: The code is not complete, .*\n$/],
    [['revoke', 'a'], 2, /^error: required option '--why <reason>' not specified\n$/],
    [['revoke', 'never-added', '--why', 'x'], 1, /^error: .*The site never-added was never added\.\n$/],
  ])('says in one line what is wrong with %j', async (args, code, message) => {
    const answer = await muster(args);
    expect([answer.code, answer.stdout]).toEqual([code, '']);
    expect(answer.stderr).toMatch(message);
  });
});
