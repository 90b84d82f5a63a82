/** Runs that wait for a person at a site, and how they are answered. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { Form } from 'react-aria-components';
import { api } from '../api/api';
import { siteQuery, type SiteDetail } from '../api/lists';
import { Button, Field, Question, Trouble } from '../parts/controls';
import { Copy } from '../parts/copy';
import { Section, Table } from '../parts/section';
import { Moment } from '../parts/times';
import { useAction } from '../parts/use-action';
import { queries } from '../session';

type Ask = SiteDetail['asks'][number];

export function Asks({ siteId }: { siteId: string }) {
  const { data } = useQuery(siteQuery(siteId));
  if (!data || data.asks.length === 0) return null;
  const { asks, policy, site } = data;
  const isAnsweredHere = policy?.approval === 'page';
  return (
    <Section title="Runs that wait for an answer">
      <Table
        columns={['Run', 'Computation', 'Dataset', 'Since', '']}
        rows={asks}
        keyOf={({ id }) => id}
        empty=""
        cells={(ask) => [
          <>
            <Link to="/runs/$runId" params={{ runId: ask.runId }}>
              {ask.runId}
            </Link>
            {ask.consortium && <span className="hint">{ask.consortium.name}</span>}
          </>,
          `${ask.computation.name} ${ask.computation.version}`,
          ask.dataset,
          <Moment at={ask.since} />,
          ask.answer ? (
            <Given answer={ask.answer} />
          ) : (
            isAnsweredHere && <Answering ask={ask} siteId={siteId} presence={site.presence} />
          ),
        ]}
      />
      {!isAnsweredHere && (
        <>
          <p className="hint">
            The file of the site lets nobody answer here: it is done at the site, where the edge worker runs.
            With <code>approval: page</code> in its site.yaml it could be answered on this page.
          </p>
          <Copy text="muster site approvals" what="the command" />
        </>
      )}
    </Section>
  );
}

function Given({ answer: { verdict, by, at, why } }: { answer: NonNullable<Ask['answer']> }) {
  return (
    <>
      {verdict} by {by} <Moment at={at} />
      {why !== undefined && <span className="hint">“{why}”</span>}
      <span className="hint">The site takes it with its next sign of life.</span>
    </>
  );
}

interface AnsweringProps {
  ask: Ask;
  siteId: string;
  presence: SiteDetail['site']['presence'];
}

function Answering({ ask, siteId, presence }: AnsweringProps) {
  const [isOpen, setOpen] = useState(false);
  const [why, setWhy] = useState('');
  const { isBusy, problem, run } = useAction('The answer did not get through.');
  const answer = (body: Parameters<typeof api.answerAsk>[0]['body']) =>
    run(async () => {
      try {
        await api.answerAsk({ path: { siteId, askId: ask.id }, body });
        setOpen(false);
      } finally {
        // Where somebody else was faster, or the run waits no more, that is shown.
        await queries.invalidateQueries({ queryKey: ['sites', siteId] });
      }
    });
  return (
    <>
      <Button aria-label={`Answer ${ask.runId}`} onPress={() => setOpen(true)}>
        Answer
      </Button>
      <Question title={`Let this run start at ${siteId}?`} isOpen={isOpen} onClose={() => setOpen(false)}>
        <Facts ask={ask} />
        {presence !== 'here' && (
          <p className="advice tone-warn">
            The edge worker of the site is not there now. It takes the answer when it is back, if the run
            waits still.
          </p>
        )}
        <div>
          <Button look="primary" isPending={isBusy} onPress={() => answer({ verdict: 'approved' })}>
            Approve
          </Button>
        </div>
        <Form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            answer({ verdict: 'refused', why: why.trim() });
          }}
        >
          <Field
            label="Or refuse, and say why"
            isRequired
            maxLength={500}
            value={why}
            onChange={setWhy}
            hint="The consortium reads it. For this run, a refusal is final."
          />
          <Button type="submit" look="danger" isDisabled={isBusy || why.trim() === ''}>
            Refuse
          </Button>
        </Form>
        <Trouble>{problem}</Trouble>
        <div className="buttons">
          <Button onPress={() => setOpen(false)}>Decide later</Button>
        </div>
      </Question>
    </>
  );
}

/** All that a person has to know to decide. */
function Facts({ ask: { runId, consortium, computation, dataset, gets, since } }: { ask: Ask }) {
  const { name, version, image, command, signer } = computation;
  const facts: [string, ReactNode][] = [
    ['Run', runId],
    ['Consortium', consortium ? `${consortium.name} (${consortium.id})` : 'not said'],
    ['Computation', `${name} ${version}`],
    ['Image', image === undefined ? 'none: local processes' : <code>{image}</code>],
    ['Command', <code>{command.join(' ')}</code>],
    ['Signed by', signer === undefined ? 'nobody' : <code>{signer}</code>],
    ['Dataset', dataset],
    ['It would get', gets],
    ['Waits since', <Moment at={since} />],
  ];
  return (
    <dl className="facts plain">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
