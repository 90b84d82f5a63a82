/** What is done to containers by name or id, where what is already so counts as done. */
import type Docker from 'dockerode';
import type { ContainerInspectInfo } from 'dockerode';
import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { timeLimit } from '../time/limit';
import { ask, askFor, isBrokenConnection, refusal } from './engine';

const LOOK_EVERY_MS = 50;

export class Containers {
  constructor(private readonly engine: Docker) {}

  find(nameOrId: string): Promise<ContainerInspectInfo | undefined> {
    return askFor(this.engine.getContainer(nameOrId).inspect());
  }

  async kill(id: string, signal: NodeJS.Signals): Promise<void> {
    await tolerating([404, 409], this.engine.getContainer(id).kill({ signal }));
  }

  /** Removes a container unless it runs. */
  async removeUnlessRunning(id: string): Promise<void> {
    await tolerating([404, 409], this.engine.getContainer(id).remove());
  }

  /** Removes a container, whatever it does, and resolves when it is gone. */
  async remove(id: string): Promise<void> {
    // 409: somebody else is removing it already.
    while (
      !(await tolerating([409], askFor(this.engine.getContainer(id).remove({ force: true, v: true }))))
    ) {
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Resolves to whether the container stopped in time. */
  async hasStopped(id: string, withinMs: number): Promise<boolean> {
    const deadline = timeLimit(withinMs);
    for (;;) {
      const found = await this.find(id);
      if (found?.State.Running !== true) return true;
      if (deadline.aborted) return false;
      await this.untilStopped(id, deadline);
    }
  }

  /**
   * Resolves when the container no longer runs, when `signal` is aborted, or when the connection broke: look again.
   * dockerode's own `wait` stays silent for ever after an engine has broken off its answer, so it is not used.
   */
  async untilStopped(id: string, signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.openWait(id, signal);
      answer.resume();
      await finished(answer, { signal });
    } catch (error) {
      if (!signal.aborted && !isBrokenConnection(error) && refusal(error)?.status !== 404) throw error;
    }
  }

  private openWait(id: string, abortSignal: AbortSignal): Promise<IncomingMessage> {
    const path = `/containers/${id}/wait?`;
    const options = { condition: 'not-running' };
    return new Promise((resolve, reject) => {
      this.engine.modem.dial(
        { path, method: 'POST', options, isStream: true, statusCodes: { 200: true }, abortSignal },
        (error, answer) => (error === null ? resolve(answer as IncomingMessage) : reject(error)),
      );
    });
  }
}

/** Whether the engine did it; `false` if it refused with one of these. */
async function tolerating(statuses: readonly number[], call: Promise<unknown>): Promise<boolean> {
  try {
    await ask(call);
    return true;
  } catch (error) {
    if (statuses.includes(refusal(error)?.status ?? 0)) return false;
    throw error;
  }
}
