/** Prints logs of a run's nodes: one as it is, or all of them with the node before each line. */
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { followLog, isProblem, type MusterApi } from '../client';

export interface LogsOf {
  runId: string;
  /** All nodes if none is named. */
  node?: string | undefined;
  /** The current one if none is named. */
  launchId?: string | undefined;
  /** Go on until the nodes have ended. */
  follow: boolean;
}

export interface Streams {
  stdout: Pick<NodeJS.WriteStream, 'write' | 'once'> & Partial<Pick<NodeJS.WriteStream, 'isTTY'>>;
  stderr: Pick<NodeJS.WriteStream, 'write'>;
}

type Api = Pick<MusterApi, 'getRun' | 'openNodeLog' | 'openNodeLogEvents'>;

/**
 * Answers whether there was any log. Of several nodes, one without a log is told on stderr.
 * @throws ApiProblem of the one node that was asked for
 */
export async function showLogs(api: Api, { node, ...of }: LogsOf, streams: Streams): Promise<boolean> {
  if (node !== undefined) {
    await print(textOf(api, { ...of, node }), '', streams.stdout);
    return true;
  }
  const names = (await api.getRun({ path: { runId: of.runId } })).nodes.map(({ node }) => node);
  const width = Math.max(...names.map(({ length }) => length));
  const show = async (name: string) => {
    try {
      await print(textOf(api, { ...of, node: name }), `${name.padEnd(width)} | `, streams.stdout);
      return true;
    } catch (error) {
      if (!isProblem(error, 'no-log')) throw error;
      streams.stderr.write(`${name.padEnd(width)} : ${error.problem?.detail ?? 'there is no log'}\n`);
      return false;
    }
  };
  if (of.follow) return (await Promise.all(names.map(show))).includes(true);
  let found = false;
  for (const name of names) found = (await show(name)) || found;
  return found;
}

async function* textOf(api: Api, { follow, ...of }: LogsOf & { node: string }): AsyncGenerator<string> {
  const { signal } = new AbortController();
  if (follow) {
    let isSilent = true;
    for await (const text of followLog(api, of, { signal })) {
      isSilent = false;
      yield text;
    }
    // Nothing came, and nothing will: asked for as a whole, the API says why.
    if (!isSilent) return;
  }
  const decoder = new TextDecoder();
  const bytes: AsyncIterable<Uint8Array> = await api.openNodeLog(of.runId, of.node, of.launchId, signal);
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
}

/** Whole lines only where they are marked, so that those of several nodes do not mix. */
async function print(text: AsyncIterable<string>, prefix: string, out: Streams['stdout']): Promise<void> {
  const write = async (lines: string) => {
    if (!out.write(out.isTTY === true ? harmless(lines) : lines))
      await once(out as NodeJS.WriteStream, 'drain');
  };
  let rest = '';
  for await (const more of text) {
    if (prefix === '') await write(more);
    else {
      const lines = (rest + more).split('\n');
      rest = lines.pop() ?? '';
      if (lines.length > 0) await write(lines.map((line) => `${prefix}${line}\n`).join(''));
    }
  }
  if (rest !== '') await write(`${prefix}${rest}\n`);
}

/** A computation's text must not steer the terminal of who reads it. */
const harmless = (text: string) => stripVTControlCharacters(text).replace(/[^\P{Cc}\n\t]/gu, '');
