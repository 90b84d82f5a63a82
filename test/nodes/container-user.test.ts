/** As whom a container runs, on engines of each kind. */
import { userOf } from '../../nodes/container-user';

const worker = { uid: 1000, gid: 100 };
const SECCOMP = 'name=seccomp,profile=default';

test('a container runs as its worker', () => {
  expect(userOf(worker, [SECCOMP])).toMatchObject({ User: '1000:100' });
  expect(userOf({ uid: 0, gid: 0 }, [SECCOMP])).toEqual({ User: '0:0', env: {} });
});

test('a user whom the image does not know has a home and a name', () => {
  expect(userOf(worker, []).env).toEqual({ HOME: '/tmp', USER: 'muster', LOGNAME: 'muster' });
});

test('on an engine without root, the worker is root in its containers', () => {
  expect(userOf(worker, [SECCOMP, 'name=rootless'])).toEqual({ User: '0:0', env: {} });
});

test('an engine that renames users is told not to', () => {
  expect(userOf(worker, [SECCOMP, 'name=userns'])).toMatchObject({ User: '1000:100', UsernsMode: 'host' });
});
