/** Registering a computation: its manifest is chosen, checked here, and sent. */
import { useEffect, useRef, useState } from 'react';
import { FileTrigger } from 'react-aria-components';
import { isProblem } from '../../client/errors';
import type { Computation } from '../../workflows/contract';
import { api } from '../api/api';
import { Act } from '../parts/act';
import { Button, Trouble } from '../parts/controls';
import { Copy } from '../parts/copy';
import { useAction } from '../parts/use-action';
import { queries } from '../session';
import { readManifest, type ReadManifest } from './read-manifest';

interface Chosen {
  file: string;
  read: ReadManifest;
}

export function Register() {
  const [chosen, setChosen] = useState<Chosen>();
  const { isBusy, problem, run } = useAction('The file cannot be read.');
  return (
    <div className="register">
      <p className="hint">
        Choose its computation.yaml, or the same as JSON. It is checked here before anything is sent.
      </p>
      <FileTrigger
        acceptedFileTypes={['.yaml', '.yml', '.json']}
        onSelect={(files) => {
          const file = files?.item(0);
          if (file) run(async () => setChosen({ file: file.name, read: readManifest(await file.text()) }));
        }}
      >
        <Button isPending={isBusy}>Choose a file</Button>
      </FileTrigger>
      <Trouble>{problem}</Trouble>
      {chosen && <Looked key={JSON.stringify(chosen)} chosen={chosen} />}
    </div>
  );
}

function Looked({ chosen: { file, read } }: { chosen: Chosen }) {
  if (read.kind === 'faulty')
    return (
      <div role="alert">
        <p className="problem">{file} is no manifest of a computation yet:</p>
        <ul className="bullets">
          {read.faults.map(({ where, says }) => (
            <li key={`${where} ${says}`}>
              {where !== '' && (
                <>
                  <code>{where}</code>:{' '}
                </>
              )}
              {says}
            </li>
          ))}
        </ul>
        <p className="hint">
          Mend it there and choose it once more. docs/computations.md says what each field is.
        </p>
      </div>
    );
  const { name, version, image } = read.manifest;
  return (
    <>
      <p>
        <b>
          {name} {version}
        </b>
        , {image === undefined ? 'for local processes only' : <code>{image}</code>}
      </p>
      {read.kind === 'signed' ? (
        <>
          <p>
            It is signed. Whether its signature fits is checked by the command line, so it is registered with
            that:
          </p>
          <Copy text={`muster computation add ${file}`} what="the command" />
        </>
      ) : (
        <Send manifest={read.manifest} />
      )}
    </>
  );
}

const ASK_AGAIN_MS = 1_000;

function Send({ manifest }: { manifest: Computation }) {
  const { name, version } = manifest;
  const [said, setSaid] = useState('');
  const [isThere, setThere] = useState(false);
  const { isBusy, problem, run } = useAction('It was not registered.');
  const leave = useRef<AbortController>(undefined);
  useEffect(() => () => leave.current?.abort(), []);

  async function send(replace: boolean): Promise<void> {
    leave.current?.abort();
    const { signal } = (leave.current = new AbortController());
    setSaid('');
    setThere(false);
    try {
      await untilRegistered(manifest, replace, signal, () =>
        setSaid('A central host is pulling the image. This can take some minutes.'),
      );
      setSaid(`${name} ${version} is registered.`);
      await queries.invalidateQueries({ queryKey: ['computations'] });
    } catch (error) {
      if (signal.aborted) return;
      setSaid('');
      setThere(isProblem(error, 'computation-exists'));
      throw error;
    }
  }

  return (
    <>
      <Button look="primary" isPending={isBusy} onPress={() => run(() => send(false))}>
        {isBusy ? 'Registering…' : 'Register'}
      </Button>
      <p role="status">{said}</p>
      <Trouble>{problem}</Trouble>
      {isThere && (
        <Act
          confirm={{
            title: `Replace ${name} ${version}?`,
            text: 'Consortia that use this version start their next runs with the new manifest. A version of its own is the better way, once others rely on it.',
          }}
          act={() => {
            // It says what became of it where the first attempt did.
            run(() => send(true));
            return Promise.resolve();
          }}
        >
          Replace it
        </Act>
      )}
    </>
  );
}

/** An image of gigabytes takes a central host some minutes; until then the API says that it is pending. */
async function untilRegistered(
  { image, signature, ...rest }: Computation,
  replace: boolean,
  signal: AbortSignal,
  pending: () => void,
): Promise<void> {
  const body = {
    ...rest,
    ...(image !== undefined && { image }),
    ...(signature !== undefined && { signature }),
  };
  for (;;) {
    try {
      await api.addComputation({ body, query: { replace: replace ? 'true' : 'false' }, signal });
      return;
    } catch (error) {
      if (!isProblem(error, 'image-pending')) throw error;
      pending();
      await pause(ASK_AGAIN_MS, signal);
    }
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('left', 'AbortError'));
    });
  });
