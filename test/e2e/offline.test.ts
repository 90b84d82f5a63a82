/** Sites that are out of reach for a while: their edge workers are frozen, and thaw. */
import type { Consortium } from '../support/consortium';
import { useFolder } from '../support/folder';
import { Patient } from '../support/patient';

jest.setTimeout(240_000);

const patient = new Patient(useFolder(), ['a', 'b']);
let consortium: Consortium;
let consortiumId: string;

beforeAll(async () => {
  consortium = await patient.open();
  const [tried] = (await consortium.api.listConsortia()).consortia;
  const { id, memberships: _members, computation, ...body } = tried!;
  consortiumId = id;
  await consortium.api.putConsortium({
    path: { consortiumId: id },
    body: {
      ...{ ...body, computation: computation! },
      windows: { retry: '1m', stopConfirm: '5s' },
    },
  });
});
afterAll(async () => {
  const unreplayable = await consortium.replayAll();
  await consortium.muster.end();
  expect(unreplayable).toEqual([]);
});

async function freeze(site: string): Promise<() => void> {
  const { pid } = await consortium.muster.process(`edge-worker:${site}`);
  process.kill(pid, 'SIGSTOP');
  return () => void process.kill(pid, 'SIGCONT');
}

it('a site that is off when the run starts takes part as soon as it is there', async () => {
  const thaw = await freeze('b');
  const { runId } = await consortium.api.startRun({ path: { consortiumId } });
  const stateOf = (nodes: { node: string; state: string }[], node: string) =>
    nodes.find((each) => each.node === node)?.state;
  const waiting = await consortium.until(runId, ({ nodes }) => stateOf(nodes, 'a') === 'complete');
  expect(stateOf(waiting.nodes, 'b')).toBe('waiting');
  expect(waiting.run.state).toBe('running');
  thaw();
  const { run, nodes } = await consortium.ended(runId);
  expect(run.state).toBe('complete');
  expect(stateOf(nodes, 'b')).toBe('complete');
});

it('a stop names the site that it could not reach, and its node is gone when the site is back', async () => {
  patient.mayGo(false);
  const { runId } = await consortium.api.startRun({ path: { consortiumId } });
  const up = await consortium.up(runId);
  const pid = Number(up.nodes.find(({ node }) => node === 'b')?.containerId?.match(/\d+/)?.[0]);
  expect(isThere(pid)).toBe(true);
  const thaw = await freeze('b');
  await consortium.api.stopRun({ path: { runId }, body: { reason: 'enough' } });
  const { run, nodes } = await consortium.ended(runId);
  expect(run).toMatchObject({ state: 'stopped', stop: { reason: 'enough' } });
  expect(nodes.map(({ node, state, error }) => [node, state, error?.type])).toEqual([
    ['central', 'stopped', undefined],
    ['a', 'stopped', undefined],
    ['b', 'lost', 'StopUnconfirmed'],
  ]);
  expect(isThere(pid)).toBe(true);
  thaw();
  await consortium.muster.until('the end of the node', () => (isThere(pid) ? undefined : true));
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
