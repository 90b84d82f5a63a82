/** Whatever dies comes back: each part is killed in the middle of a run, and the run completes with every node started once. */
import { CENTRAL_NODE } from '../../workflows/contract';
import type { Consortium } from '../support/consortium';
import { useFolder } from '../support/folder';
import { ISLANDS, openPenguins } from '../support/penguins';

jest.setTimeout(300_000);

const folder = useFolder();
let consortium: Consortium;

beforeAll(async () => {
  // Long enough to be killed in the middle of; the run is over as soon as the pause is.
  consortium = await openPenguins(folder, { pauseSeconds: 4 });
});
afterAll(async () => {
  const unreplayable = await consortium.replayAll();
  await consortium.muster.end();
  expect(unreplayable).toEqual([]);
});

it.each(['central-worker', 'edge-worker:dream', 'api', 'gateway'])(
  '%s is killed in the middle of a run',
  async (part) => {
    const { muster, api } = consortium;
    const [tried] = (await api.listConsortia()).consortia;
    const { runId } = await api.startRun(tried!.id, {}, `kill-${part.replace(':', '-')}`);
    const up = await consortium.up(runId);
    const { pid } = await muster.process(part);
    process.kill(pid, 'SIGKILL');
    const back = await muster.until(`a new ${part}`, async () =>
      (await muster.processes()).find((process) => process.name === part && process.pid !== pid),
    );
    expect(back.pid).not.toBe(pid);
    const ended = await consortium.ended(runId);
    expect(ended.run).toMatchObject({ state: 'complete', launchId: up.run.launchId });
    expect(ended.nodes.map(({ node, state }) => [node, state])).toEqual(
      [CENTRAL_NODE, ...ISLANDS].map((node) => [node, 'complete']),
    );
    expect(await nodesStarted(runId)).toEqual(
      Object.fromEntries([CENTRAL_NODE, ...ISLANDS].map((node) => [node, 1])),
    );
    await muster.says(new RegExp(`${part}.*(killed|SIGKILL)`, 'i'));
  },
);

/** How many different processes each node of a run was. */
async function nodesStarted(runId: string): Promise<Record<string, number>> {
  const processes = new Map<string, Set<string>>();
  for (const event of await consortium.history(runId)) {
    if (event.type !== 'node' || event.data.containerId === undefined) continue;
    const { node, containerId } = event.data;
    processes.set(node, (processes.get(node) ?? new Set()).add(containerId));
  }
  return Object.fromEntries([...processes].map(([node, ids]) => [node, ids.size]));
}
