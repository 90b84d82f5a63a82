/** Letting a run, or the nodes of its sites, begin anew: the button, and from where. */
import { useRef, useState } from 'react';
import { Form } from 'react-aria-components';
import type { RetryFrom } from '../../workflows/api-contract';
import { api, randomKey } from '../api/api';
import { wordsOf } from '../api/errors';
import { Button, Choice, Field, OneOf, Question, Trouble } from '../parts/controls';
import { mayBeginAnew, retryChoices, type Picture } from '../picture';

const WORDS: Record<RetryFrom, { name: string; about: string }> = {
  provision: {
    name: 'From the beginning',
    about: 'New kits, new nodes, new results. What is left of its nodes is gone before new ones start.',
  },
  launch: { name: 'From the launch', about: 'All nodes begin anew with the kits that there are.' },
  sites: {
    name: 'At the sites alone',
    about: 'The central node goes on. Only for a computation that takes returning sites in.',
  },
};
const ALL = 'all sites';

export function RetryButton({ picture }: { picture: Picture }) {
  const [isOpen, setOpen] = useState(false);
  const choices = retryChoices(picture);
  if (choices.length === 0) return null;
  return (
    <>
      <Button look={picture.run.state === 'failed' ? 'primary' : undefined} onPress={() => setOpen(true)}>
        Retry
      </Button>
      <Question title="Retry this run?" isOpen={isOpen} onClose={() => setOpen(false)}>
        <RetryForm picture={picture} choices={choices} onClose={() => setOpen(false)} />
      </Question>
    </>
  );
}

interface RetryFormProps {
  picture: Picture;
  choices: readonly RetryFrom[];
  onClose: () => void;
}

function RetryForm({ picture, choices, onClose }: RetryFormProps) {
  const key = useRef(randomKey());
  const [wanted, setWanted] = useState<RetryFrom>('provision');
  const [site, setSite] = useState(ALL);
  const [reason, setReason] = useState('');
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<string>();
  // The run goes on while somebody thinks: what is possible no more is not asked for.
  const from = choices.includes(wanted) ? wanted : 'provision';
  const open = picture.sites.filter(mayBeginAnew);

  async function send(): Promise<void> {
    setSending(true);
    setProblem(undefined);
    try {
      await api.retryRun({
        path: { runId: picture.run.runId },
        headers: { 'idempotency-key': key.current },
        body: {
          from,
          ...(from === 'sites' && site !== ALL && { site }),
          ...(reason.trim() !== '' && { reason: reason.trim() }),
        },
      });
      onClose();
    } catch (error) {
      setProblem(`The run is not retried. ${wordsOf(error)}`);
      setSending(false);
    }
  }

  return (
    <Form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {choices.length === 1 ? (
        <p>{WORDS.provision.about}</p>
      ) : (
        <OneOf
          label="From where"
          value={from}
          onChange={setWanted}
          options={choices.map((choice) => ({ key: choice, ...WORDS[choice] }))}
        />
      )}
      {from === 'sites' && (
        <Choice
          label="Which"
          value={site}
          onChange={setSite}
          options={[
            { key: ALL, name: 'All sites that are not complete' },
            ...open.map(({ node, name }) => ({ key: node, name })),
          ]}
        />
      )}
      <Field
        label="Reason (optional)"
        maxLength={500}
        autoComplete="off"
        value={reason}
        onChange={setReason}
      />
      <Trouble>{problem}</Trouble>
      <div className="buttons">
        <Button autoFocus onPress={onClose}>
          Leave it as it is
        </Button>
        <Button type="submit" look="primary" isPending={isSending}>
          {isSending ? 'Asking…' : 'Retry run'}
        </Button>
      </div>
    </Form>
  );
}
