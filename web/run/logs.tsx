/** A node's log, as it is written. */
import { useEffect, useRef, useState } from 'react';
import { LogMessage } from '../../workflows/api-contract';
import { api, segment } from '../api/api';
import { wordsOf } from '../api/errors';
import { stayConnected } from '../live/connection';
import { readEvents, SILENCE_MS } from '../live/events';
import { Button, Choice } from '../parts/controls';
import type { Picture } from '../picture';
import { lastOf } from './log-text';

type LogState = 'reading' | 'following' | 'ended' | 'lost';
const STATE_WORDS: Record<LogState, string> = {
  reading: 'Reading…',
  following: 'As it is written',
  ended: 'The log has ended',
  lost: 'Connection lost. Trying again…',
};

export function Logs({ picture }: { picture: Picture }) {
  const nodes = [...(picture.central ? [picture.central] : []), ...picture.sites];
  const [isOpen, setOpen] = useState(false);
  const [node, setNode] = useState('central');
  const { runId, launchId } = picture.run;
  const options = [
    { key: 'provision', name: 'Provisioning' },
    ...nodes.map(({ node: key, name }) => ({ key, name })),
  ];
  const launch = nodes.find((one) => one.node === node)?.view.retry?.launchId ?? launchId;
  return (
    <section className="card logs" aria-labelledby="logs">
      <div className="bar">
        <h2 id="logs">Logs</h2>
        {isOpen && <Choice label="Node" options={options} value={node} onChange={setNode} />}
        <Button aria-expanded={isOpen} onPress={() => setOpen(!isOpen)}>
          {isOpen ? 'Hide' : 'Show the logs'}
        </Button>
      </div>
      {isOpen && <Log key={[node, launch].join()} runId={runId} node={node} />}
    </section>
  );
}

function Log({ runId, node }: { runId: string; node: string }) {
  const [text, setText] = useState({ text: '', isCut: false });
  const [state, setState] = useState<LogState>('reading');
  const [problem, setProblem] = useState<string>();
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);

  useEffect(() => {
    const leave = new AbortController();
    const add = (more: string) => setText((now) => lastOf(now, more));
    followLog(runId, node, leave.signal, add, setState).catch((error: unknown) => {
      if (!leave.signal.aborted) setProblem(wordsOf(error));
    });
    return () => leave.abort();
  }, [runId, node]);
  useEffect(() => {
    if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);

  if (problem !== undefined) return <p className="hint">{problem}</p>;
  return (
    <>
      {text.isCut && <p className="hint">Only the end of this log is shown.</p>}
      <pre
        ref={box}
        tabIndex={0}
        aria-label={`Log of ${node}`}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight < 24;
        }}
      >
        {text.text}
      </pre>
      <p className="hint" role="status">
        {state === 'ended' && text.text === '' ? 'The log is empty.' : STATE_WORDS[state]}
      </p>
      <p className="hint">
        <a href={`/api/runs/${segment(runId)}/nodes/${segment(node)}/log`} download={`${runId}-${node}.log`}>
          Download the whole log
        </a>
      </p>
    </>
  );
}

async function followLog(
  runId: string,
  node: string,
  signal: AbortSignal,
  add: (text: string) => void,
  say: (state: LogState) => void,
): Promise<void> {
  const over = new AbortController();
  let last: string | undefined;
  await stayConnected(
    async (heard) => {
      const path = `/api/runs/${segment(runId)}/nodes/${segment(node)}/log/events`;
      const stream = await api.openStream(path, signal, last);
      heard();
      for await (const { id, data } of readEvents(stream, LogMessage, SILENCE_MS, heard)) {
        last = id;
        if ('text' in data) add(data.text);
        else {
          say('ended');
          over.abort();
          return;
        }
      }
    },
    ({ state }) => {
      if (state === 'live') say('following');
      if (state === 'lost') say('lost');
    },
    AbortSignal.any([signal, over.signal]),
  );
}
