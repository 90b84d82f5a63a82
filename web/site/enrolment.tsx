/** How a site becomes one, by a code, and how it is cut off. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Form } from 'react-aria-components';
import { api } from '../api/api';
import { siteQuery, type SiteView } from '../api/lists';
import { Act } from '../parts/act';
import { Button, Field, Question, Trouble } from '../parts/controls';
import { JoinCode, type MadeCode } from '../parts/join-code';
import { Section } from '../parts/section';
import { Moment } from '../parts/times';
import { useAction } from '../parts/use-action';
import { queries } from '../session';

const renew = () => queries.invalidateQueries({ queryKey: ['sites'] });

/** Said first of a site that nothing can be done with. */
export function CutOff({ site: { standing } }: { site: Pick<SiteView, 'standing'> }) {
  if (standing?.state !== 'revoked') return null;
  return (
    <p className="verdict tone-bad">
      <b>Cut off</b>Its certificates were revoked <Moment at={standing.at} />. It takes part in nothing until
      it joins again.
    </p>
  );
}

/** For those who may say who the site is. */
export function Enrolment({ siteId }: { siteId: string }) {
  const { data } = useQuery(siteQuery(siteId));
  const [made, setMade] = useState<MadeCode>();
  if (!data?.mayEnrol) return null;
  const { standing } = data.site;
  const isRevocable = standing !== undefined && standing.state !== 'revoked';
  return (
    <Section title="Join and leave">
      <p className="hint">
        An edge worker on another machine, or one that has lost its certificate, joins with a new code.
      </p>
      <div className="actions">
        <Act
          act={async () => {
            setMade(await api.addSite({ body: { id: siteId } }));
            await renew();
          }}
        >
          Make a join code
        </Act>
        {isRevocable && <Revoke siteId={siteId} onDone={() => setMade(undefined)} />}
      </div>
      {made && <JoinCode made={made} />}
    </Section>
  );
}

function Revoke({ siteId, onDone }: { siteId: string; onDone: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const { isBusy, problem, run } = useAction('The site was not cut off.');
  return (
    <>
      <Button look="danger" onPress={() => setOpen(true)}>
        Cut the site off
      </Button>
      <Question title={`Cut ${siteId} off?`} isOpen={isOpen} onClose={() => setOpen(false)}>
        <Form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            run(async () => {
              await api.revokeSite({ path: { siteId }, body: { reason: reason.trim() } });
              setOpen(false);
              onDone();
              await renew();
            });
          }}
        >
          <p>
            All of its certificates are revoked, and a code that it has not used. Within seconds nothing of it
            is let in: it starts nothing new, and what runs there now is not heard of any more, so that those
            runs lose the site.
          </p>
          <p>This cannot be taken back. The site may join again, with a new code.</p>
          <Field
            label="Reason"
            isRequired
            autoComplete="off"
            maxLength={500}
            value={reason}
            onChange={setReason}
            hint="It is kept with what was done."
          />
          <Trouble>{problem}</Trouble>
          <div className="buttons">
            <Button autoFocus onPress={() => setOpen(false)}>
              Leave it as it is
            </Button>
            <Button type="submit" look="danger" isDisabled={isBusy || reason.trim() === ''}>
              Cut it off
            </Button>
          </div>
        </Form>
      </Question>
    </>
  );
}
