/** Whatever dies comes back: each part is killed in the middle of a run, and the run completes with every node started once. */
import { CENTRAL_NODE } from '../../workflows/contract';
import type { Consortium } from '../support/consortium';
import { useFolder } from '../support/folder';
import { ISLANDS, openPenguins } from '../support/penguins';
import { WebhookReceiver } from '../support/webhook-receiver';

jest.setTimeout(300_000);

const folder = useFolder();
let consortium: Consortium;
let receiver: WebhookReceiver;

beforeAll(async () => {
  receiver = await new WebhookReceiver().open();
  process.env.MUSTER_WEBHOOK_NETWORKS = '127.0.0.0/8';
  // Long enough to be killed in the middle of; the run is over as soon as the pause is.
  consortium = await openPenguins(folder, { pauseSeconds: 4 });
});
afterAll(async () => {
  await receiver.close();
  const unreplayable = await consortium.replayAll();
  await consortium.muster.end();
  expect(unreplayable).toEqual([]);
});

it.each(['central-worker', 'edge-worker:dream', 'api', 'gateway'])(
  '%s is killed in the middle of a run',
  async (part) => {
    const { muster, api } = consortium;
    const [tried] = (await api.listConsortia()).consortia;
    const { runId } = await api.startRun({ path: { consortiumId: tried!.id } });
    const up = await consortium.up(runId);
    await killAndAwait(part);
    const ended = await consortium.ended(runId);
    expect(ended.run).toMatchObject({ state: 'complete', launchId: up.run.launchId });
    expect(ended.nodes.map(({ node, state }) => [node, state])).toEqual(
      [CENTRAL_NODE, ...ISLANDS].map((node) => [node, 'complete']),
    );
    expect(await nodesStarted(runId)).toEqual(
      Object.fromEntries([CENTRAL_NODE, ...ISLANDS].map((node) => [node, 1])),
    );
    await muster.says(new RegExp(`${part}.*(killed|SIGKILL)`, 'i'));
    // One that was killed and came back is the one that was there before.
    const { gateways } = await api.listGateways();
    expect(gateways).toMatchObject([{ presence: 'here' }]);
  },
);

it.each(['central-worker', 'api'])(
  '%s is killed while a webhook is being delivered: the receiver gets it under the same id, and it is said to be delivered',
  async (part) => {
    const { muster, api } = consortium;
    const [tried] = (await api.listConsortia()).consortia;
    const path = { consortiumId: tried!.id, noticeId: `kill-${part}` };
    receiver.received.length = 0;
    receiver.answers = [undefined];
    // Of a run and not a test: somebody looks at a test, so it is given up after half a minute.
    const { secret } = await api.putNotice({
      path,
      body: { kind: 'webhook', url: receiver.url, on: ['finished'] },
    });
    receiver.secret = secret!;
    const { runId } = await api.startRun({ path: { consortiumId: tried!.id } });
    await consortium.ended(runId);
    const { id: deliveryId } = await muster.until('the first try', () => receiver.received[0]);
    await killAndAwait(part);
    // A worker that is dead is found out by its silence; one that lives tries again when nobody answers it.
    const delivery = await muster.until('the delivery', async () => {
      const { notices } = await api.listNotices({ path }).catch(() => ({ notices: [] }));
      const deliveries = notices.flatMap((notice) => notice.deliveries);
      return deliveries.find(({ id, state }) => id === deliveryId && state !== 'pending');
    });
    await api.removeNotice({ path });
    expect(delivery.state).toBe('delivered');
    expect(receiver.received.map(({ id, isGenuine }) => [id, isGenuine])).toEqual([
      [deliveryId, true],
      [deliveryId, true],
    ]);
  },
);

/** Resolves once another process has taken the part's place. */
async function killAndAwait(part: string): Promise<void> {
  const { muster } = consortium;
  const { pid } = await muster.process(part);
  process.kill(pid, 'SIGKILL');
  await muster.until(`a new ${part}`, async () =>
    (await muster.processes()).find((process) => process.name === part && process.pid !== pid),
  );
}

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
