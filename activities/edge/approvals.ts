/**
 * What waits for a person at a site, and what was answered: files in the edge worker's state folder, so that a site needs
 * nobody else for it, and a restart forgets nothing. The worker writes the questions, and people, by `muster site`, the
 * answers. Where the site's file lets people answer on the page, the worker writes those too, to what nobody has answered yet.
 *
 * An answer is to one request: this computation, image and command, for this consortium, on this dataset, in this run. Every
 * request has files of its own, so that one which comes after a person has looked never gets the answer to what they saw.
 */
import { createHash } from 'node:crypto';
import { chown, mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Computation, RunId } from '../../workflows/contract';
import { errorCode } from '../../nodes/error-code';
import { writeNew } from '../../nodes/write-new';
import { LogDisclosure, ResultDisclosure } from '../shared/policy';
import { writeWhole } from '../shared/write-whole';
import { RunRequest } from './site-rules';

/** What nobody has asked for in so long is forgotten. */
const KEEP_MS = 30 * 86_400_000;

/** What a run would get here. */
export const Grant = z.strictObject({
  resources: Computation.shape.resources.unwrap(),
  /** Absent: the dataset is not mapped. */
  folder: z.string().optional(),
  network: z.string().optional(),
  logs: LogDisclosure,
  results: ResultDisclosure,
});
export type Grant = z.output<typeof Grant>;

const Question = z.strictObject({ request: RunRequest, since: z.number(), grant: Grant });

const Answer = z.strictObject({
  verdict: z.enum(['approved', 'refused']),
  by: z.string(),
  /** On the page, as the central API told it. Absent: at the site. */
  via: z.literal('page').optional(),
  at: z.number(),
  why: z.string().optional(),
});
export type Answer = z.output<typeof Answer>;

/** A request that was made here, and what a person said of it, if they have. */
export interface Asked extends z.output<typeof Question> {
  /** Names the request: two are the same if this is. */
  id: string;
  /** When the run asked last; one that goes on waiting asks every few seconds. */
  lastAsked: number;
  answer?: Answer;
}

export class Approvals {
  private readonly folder: string;

  /** @param state the edge worker's own folder */
  constructor(state: string) {
    this.folder = join(state, 'approvals');
  }

  /** Puts a request before the people here, unless it is already. */
  async ask(request: RunRequest, grant: Grant): Promise<void> {
    const file = this.questionFile(request.runId, idOf(request));
    const before = await readAs(Question, file);
    if (before === undefined) {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await this.forgetOld();
    }
    // Written each time: that it still asks is seen by that, and what it would get may have changed.
    await writeWhole(file, JSON.stringify({ request, since: before?.since ?? Date.now(), grant }));
  }

  /** What was said of this very request. */
  async answerTo(request: RunRequest): Promise<Answer | undefined> {
    return readAs(Answer, this.answerFile(request.runId, idOf(request)));
  }

  /** Answers a request that nobody has answered; who was there first stays. */
  async answerFirst({ request, id }: Pick<Asked, 'request' | 'id'>, answer: Answer): Promise<void> {
    await writeNew(this.answerFile(request.runId, id), JSON.stringify(answer));
  }

  /** As if nobody had answered the request. */
  async forgetAnswer(request: RunRequest): Promise<void> {
    await rm(this.answerFile(request.runId, idOf(request)), { force: true });
  }

  /** Answers a request; an older answer to it no longer counts. */
  async answer({ request, id }: Pick<Asked, 'request' | 'id'>, answer: Answer): Promise<void> {
    const file = this.answerFile(request.runId, id);
    await writeWhole(file, JSON.stringify(answer));
    // The worker has to be able to read what an administrator wrote as root.
    const { uid, gid } = await stat(this.folder);
    if (process.getuid?.() === 0) await chown(file, uid, gid);
  }

  /** Every request that is kept, the oldest first. */
  async list(): Promise<Asked[]> {
    const names = await readdir(this.folder).catch(absent);
    const all = await Promise.all((names ?? []).map((name) => this.read(name)));
    return all.flatMap((asked) => asked ?? []).toSorted((a, b) => a.since - b.since);
  }

  private async read(name: string): Promise<Asked | undefined> {
    const [, runId = '', id = ''] = /^([^.]+)\.([0-9a-f]{64})\.asked\.json$/.exec(name) ?? [];
    if (!RunId.safeParse(runId).success) return undefined;
    const file = this.questionFile(runId, id);
    const [question, found] = await Promise.all([readAs(Question, file), stat(file).catch(absent)]);
    // Damaged, or not what its name says: the run asks once more.
    if (!question || !found || idOf(question.request) !== id) return undefined;
    const answer = await readAs(Answer, this.answerFile(runId, id));
    return { ...question, id, lastAsked: found.mtimeMs, ...(answer && { answer }) };
  }

  private async forgetOld(): Promise<void> {
    const old = (await this.list()).filter(({ lastAsked }) => lastAsked < Date.now() - KEEP_MS);
    for (const { request, id } of old) {
      await rm(this.answerFile(request.runId, id), { force: true });
      await rm(this.questionFile(request.runId, id), { force: true });
    }
  }

  private questionFile = (runId: string, id: string) => join(this.folder, `${runId}.${id}.asked.json`);
  private answerFile = (runId: string, id: string) => join(this.folder, `${runId}.${id}.answer.json`);
}

/** Of all that a request says but how the consortium calls itself, which may be mended without asking anew. */
export function idOf({ runId, site, consortium, computation, dataset }: RunRequest): string {
  const { name, version, image, command } = computation;
  const bound = [runId, site, consortium?.id ?? null, name, version, image ?? null, command, dataset];
  return createHash('sha256').update(JSON.stringify(bound)).digest('hex');
}

/** What is in a file; `undefined` if it is not there or not what it should be: then nothing was asked, or answered. */
async function readAs<T extends z.ZodType>(schema: T, file: string): Promise<z.output<T> | undefined> {
  const text = await readFile(file, 'utf8').catch(absent);
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function absent(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error;
}
