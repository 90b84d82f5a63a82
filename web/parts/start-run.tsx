/** The button that starts a run. */
import { useNavigate } from '@tanstack/react-router';
import { useRef } from 'react';
import { api, randomKey } from '../api/api';
import { Button, Trouble } from './controls';
import { useAction } from './use-action';

export function StartRun({ consortiumId }: { consortiumId: string }) {
  // One key until a run was started: however often the button is pressed or the network fails, it is one run.
  const key = useRef(randomKey());
  const navigate = useNavigate();
  const { isBusy, problem, run } = useAction('The run was not started.');

  async function start(): Promise<void> {
    const { runId } = await api.startRun({
      path: { consortiumId },
      headers: { 'idempotency-key': key.current },
      body: {},
    });
    key.current = randomKey();
    await navigate({ to: '/runs/$runId', params: { runId } });
  }

  return (
    <>
      <div className="actions">
        <Button look="primary" isPending={isBusy} onPress={() => run(start)}>
          {isBusy ? 'Starting…' : 'Start run'}
        </Button>
      </div>
      <Trouble>{problem}</Trouble>
    </>
  );
}
