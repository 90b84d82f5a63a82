/** Stopping a run: the button, the question before it, and the confirmations as they come in. */
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { wordsOf } from '../api/errors';
import { api } from '../api/api';
import { count, list } from '../format';
import { Button, Field, Question, Trouble } from '../parts/controls';
import { Moment } from '../parts/times';
import { mayStop, MOST_ROWS, type Picture, type StopPicture } from '../picture';

export interface Stop {
  asked: boolean;
  problem: string | undefined;
  ask: (reason: string | undefined) => void;
}

/** Asking for a stop, and what becomes of that before the run says so itself. */
export function useStop(runId: string, picture: Picture | undefined): Stop {
  const [asked, setAsked] = useState(false);
  const [problem, setProblem] = useState<string>();
  const isTold = picture?.run.stop !== undefined;
  // From here on the run says so itself; a run that is reset may be stopped again.
  if (isTold && asked) setAsked(false);

  const ask = (reason: string | undefined) => {
    setAsked(true);
    setProblem(undefined);
    api.stopRun({ path: { runId }, body: reason === undefined ? {} : { reason } }).catch((error: unknown) => {
      setAsked(false);
      setProblem(`The stop was not accepted. ${wordsOf(error)}`);
    });
  };
  return { asked, problem, ask };
}

export function StopButton({ stop, picture }: { stop: Stop; picture: Picture }) {
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  if (picture.step.ended) return null;
  const isUnderWay = stop.asked || !mayStop(picture);
  return (
    <>
      <Button look="danger" isPending={isUnderWay} onPress={() => setOpen(true)}>
        {isUnderWay ? 'Stopping…' : 'Stop run'}
      </Button>
      <Question title="Stop this run?" isOpen={isOpen} onClose={() => setOpen(false)}>
        <Form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            setOpen(false);
            stop.ask(reason.trim() || undefined);
          }}
        >
          <p>
            The central node and {count(picture.sites.length, 'site')} are asked to end now. A stop is final:
            the run does not go on afterwards.
          </p>
          <Field
            label="Reason (optional)"
            maxLength={500}
            autoComplete="off"
            value={reason}
            onChange={setReason}
          />
          <div className="buttons">
            <Button autoFocus onPress={() => setOpen(false)}>
              Keep it running
            </Button>
            <Button type="submit" look="danger">
              Stop run
            </Button>
          </div>
        </Form>
      </Question>
    </>
  );
}

export function StopPanel({ stop: { asked, problem }, picture }: { stop: Stop; picture: Picture }) {
  if (!picture.stop && !asked && problem === undefined) return null;
  return (
    <section className="stop-panel" aria-label="Stop">
      <Trouble>{problem}</Trouble>
      {asked && !picture.stop && <p>The stop is on its way to the run…</p>}
      {picture.stop && <Told stop={picture.stop} ended={picture.step.ended} />}
    </section>
  );
}

function Told({ stop, ended }: { stop: StopPicture; ended: boolean }) {
  const { by, at, reason, total, confirmed, outstanding, unconfirmed } = stop;
  const few = total <= MOST_ROWS;
  return (
    <>
      <p>
        <b>Stop asked for by {by}</b> at <Moment at={at} />
        {reason !== undefined && `: “${reason}”`}
      </p>
      {!ended && <progress max={total} value={confirmed.length} aria-label="Confirmed stops" />}
      <p>
        {`${confirmed.length} of ${count(total, 'node')} confirmed${few && confirmed.length > 0 ? `: ${list(confirmed)}` : ''}.`}
      </p>
      {outstanding.length > 0 && (
        <p>
          {few ? `Waiting for ${list(outstanding)}.` : `Waiting for ${count(outstanding.length, 'node')}.`}
        </p>
      )}
      {unconfirmed.length > 0 && (
        <p className="trouble">
          {`Not confirmed: ${list(unconfirmed.slice(0, MOST_ROWS))}. Check what still runs there.`}
        </p>
      )}
    </>
  );
}
