import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { jwtVerify } from 'jose';

const CLI = join(__dirname, '../../dist/cli/main.js');
const secret = 'an-example-of-a-secret-that-is-long-enough';

function token(args: string[], env: Record<string, string> = { MUSTER_API_SECRET: secret }) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'operator-token', ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });
  return { status, stdout: stdout.trim(), stderr };
}

it('signs what its bearer may do, for so long', async () => {
  const made = token(['--role', 'admin', '--sub', 'alice', '--expires', '12h']);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  const { payload, protectedHeader } = await jwtVerify(made.stdout, new TextEncoder().encode(secret), {
    algorithms: ['HS256'],
  });
  expect(payload).toMatchObject({ role: 'admin', sub: 'alice' });
  expect(protectedHeader.typ).toBe('muster-person+jwt');
  expect(payload.exp! - payload.iat!).toBe(12 * 3600);
});

it.each([
  [
    ['--role', 'king', '--sub', 'x'],
    undefined,
    /^error: option '--role <role>' argument 'king' is invalid\. .*admin, central, gateway\.\n$/,
  ],
  [
    ['--role', 'central', '--sub', 'x', '--expires', 'soon'],
    undefined,
    'error: --expires soon is not a time such as 12h or 90d.\n',
  ],
  [
    ['--role', 'central', '--sub', 'x'],
    { MUSTER_API_SECRET: 'short' },
    /^error: MUSTER_API_SECRET is not set .*\n$/,
  ],
  [['--role', 'central'], undefined, "error: required option '--sub <name>' not specified\n"],
])('says in one line what is wrong with %j', (args, env, message) => {
  expect(token(args, env)).toEqual({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(message) as string,
  });
});
