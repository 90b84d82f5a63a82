import { mkdirSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { openApi } from '../../cli/api-access';
import { self } from '../../dev/process-identity';
import { statePaths, writeStackFile } from '../../dev/state';
import { useFolder } from '../support/folder';

const folder = useFolder();
let heard: IncomingHttpHeaders[];
let server: Server;
let url: string;

beforeEach(async () => {
  heard = [];
  server = createServer(({ headers }, response) => {
    heard.push(headers);
    response.end('{"runs":[]}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => server.close());

/** The folder of a stack that this process runs. */
async function stackFolder(): Promise<string> {
  const state = join(folder, 'running');
  mkdirSync(state);
  await writeStackFile(statePaths(state), {
    supervisor: await self(),
    temporal: { address: '127.0.0.1:1', namespace: 'default' },
    objectStore: { endpoint: 'http://127.0.0.1:2', accessKey: 'a', secretKey: 'b' },
    api: { url },
    sites: { apiUrl: 'https://127.0.0.1:1', gateway: '127.0.0.1:1' },
    centralResults: state,
    ports: {},
  });
  return state;
}

it('uses the API and the token that the environment names', async () => {
  const api = await openApi({}, { MUSTER_API_URL: url, MUSTER_API_TOKEN: 'mine' });
  await api.listRuns();
  expect(heard).toMatchObject([{ authorization: 'Bearer mine' }]);
});

it("uses a local stack's API as its administrator, whatever the environment names", async () => {
  const api = await openApi(
    { state: await stackFolder() },
    { MUSTER_API_URL: 'http://127.0.0.1:1', MUSTER_API_TOKEN: 'x' },
  );
  await api.listRuns();
  expect(decodeJwt(heard[0]?.authorization?.replace('Bearer ', '') ?? '')).toMatchObject({ role: 'admin' });
});

it.each([
  [{ MUSTER_API_URL: 'somewhere', MUSTER_API_TOKEN: 'x' }, /somewhere is not an address/],
  [{ MUSTER_API_URL: 'http://127.0.0.1:1' }, /You have not logged in to .*: `muster login/],
])('says what is wrong with %j', async (env, message) => {
  await expect(openApi({}, env)).rejects.toThrow(message);
});

it('says how to name an API where no stack runs', async () => {
  const state = join(folder, 'nothing');
  await expect(openApi({ state }, {})).rejects.toThrow(`No stack is running in ${state}: start one with`);
});
