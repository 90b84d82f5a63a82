/** A button that asks something of the API and says why where that did not work; where it is not undone easily, it asks first. */
import { useState } from 'react';
import { Button, Question, Trouble } from './controls';
import { useAction } from './use-action';

interface ActProps {
  children: string;
  look?: 'primary' | 'danger' | 'quiet';
  /** What it is done with, where several buttons have the same words. */
  what?: string;
  /** What is asked before it is done; nothing, where it is undone as easily. */
  confirm?: { title: string; text: string };
  act: () => Promise<unknown>;
}

export function Act({ children, look, what, confirm, act }: ActProps) {
  const [isOpen, setOpen] = useState(false);
  const { isBusy, problem, run } = useAction();
  return (
    <>
      <Button
        look={look}
        isPending={isBusy}
        onPress={() => (confirm ? setOpen(true) : run(act))}
        {...(what !== undefined && { 'aria-label': `${children} ${what}` })}
      >
        {children}
      </Button>
      {confirm && (
        <Question title={confirm.title} isOpen={isOpen} onClose={() => setOpen(false)}>
          <p>{confirm.text}</p>
          <div className="buttons">
            <Button autoFocus onPress={() => setOpen(false)}>
              Leave it as it is
            </Button>
            <Button
              look="danger"
              onPress={() => {
                setOpen(false);
                run(act);
              }}
            >
              {children}
            </Button>
          </div>
        </Question>
      )}
      <Trouble>{problem}</Trouble>
    </>
  );
}
