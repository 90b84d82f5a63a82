/** What one is told of by mail oneself. */
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { Trouble } from '../parts/controls';
import { Section } from '../parts/section';
import { Skeleton } from '../parts/states';
import { useAction } from '../parts/use-action';
import { queries } from '../session';
import { EventChoice, NoMailServer } from './event-choice';

const MINE = ['me', 'notices'];

export function MyNotices({ email }: { email: string }) {
  const { data, error } = useQuery({
    queryKey: MINE,
    queryFn: ({ signal }) => api.getMyNotices({ signal }),
  });
  const { isBusy, problem, run } = useAction('It was not changed.');
  return (
    <Section title="What you are told of by mail">
      <Trouble>{error ? wordsOf(error) : undefined}</Trouble>
      {!data && !error && <Skeleton what="Your notices" />}
      {data && (
        <div className="form">
          <p className="hint">
            {data.on.length === 0
              ? 'You get no mails. Choose what to be told of, in your consortia and at your sites.'
              : `It goes to ${email}, for the runs of your consortia and of your sites.`}
          </p>
          {data.noMailServer && <NoMailServer />}
          <EventChoice
            label="Tell me when"
            value={data.on}
            isReadOnly={isBusy}
            onChange={(on) =>
              run(async () => queries.setQueryData(MINE, await api.putMyNotices({ body: { on } })))
            }
          />
          <Trouble>{problem}</Trouble>
        </div>
      )}
    </Section>
  );
}
