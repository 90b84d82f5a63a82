/** A button that asks something of the API and says why where that did not work. */
import { Button, Trouble } from './controls';
import { useAction } from './use-action';

interface ActProps {
  children: string;
  look?: 'primary' | 'danger' | 'quiet';
  /** What it is done with, where several buttons have the same words. */
  what?: string;
  act: () => Promise<unknown>;
}

export function Act({ children, look, what, act }: ActProps) {
  const { isBusy, problem, run } = useAction();
  return (
    <>
      <Button
        look={look}
        isDisabled={isBusy}
        onPress={() => run(act)}
        {...(what !== undefined && { 'aria-label': `${children} ${what}` })}
      >
        {children}
      </Button>
      <Trouble>{problem}</Trouble>
    </>
  );
}
