/**
 * Checks that what came from the API is what the page is about to draw. The API has validated it against the contract
 * already; here it is made sure that it is the API that answered, in a version that this page knows.
 */
import type {
  ConsortiumView,
  ErrorEntry,
  Problem,
  RunDetail,
  RunEvent,
  RunSummary,
  StartedRun,
} from '../workflows/api-contract';
import type { NodeState, NodeView, RunState, RunView } from '../workflows/contract';

/** The answer is not of the version of the API that this page was made for. */
export class UnknownShape extends Error {
  constructor(what: string) {
    super(
      `The API sent ${what} that this page does not understand. Reload the page to get its newest version.`,
    );
    this.name = 'UnknownShape';
  }
}

type Check = (value: unknown) => boolean;

const string: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number';
const boolean: Check = (value) => typeof value === 'boolean';
const record = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const array =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const object =
  (fields: Record<string, Check>): Check =>
  (value) =>
    record(value) && Object.entries(fields).every(([name, check]) => check(value[name]));
/** One of a set of words; written as a record so that the compiler sees to it that none is missing. */
const word =
  (words: Readonly<Record<string, true>>): Check =>
  (value) =>
    typeof value === 'string' && Object.hasOwn(words, value);

const RUN_STATES: Record<RunState, true> = {
  provisioning: true,
  publishing: true,
  launching: true,
  running: true,
  stopping: true,
  complete: true,
  failed: true,
  stopped: true,
};
const NODE_STATES: Record<NodeState, true> = {
  waiting: true,
  fetching: true,
  launching: true,
  running: true,
  complete: true,
  failed: true,
  refused: true,
  stopping: true,
  stopped: true,
  lost: true,
};

const nodeError = object({ node: string, phase: string, type: string, message: string });
const runView = object({
  runId: string,
  launchId: optional(string),
  consortium: object({ id: string, name: string }),
  computation: object({ name: string, version: string }),
  state: word(RUN_STATES),
  since: number,
  startedAt: number,
  startedBy: string,
  stop: optional(object({ by: string, reason: optional(string), at: number })),
  error: optional(nodeError),
  results: optional(array(object({ name: string, size: number, sha256: string }))),
});
const nodeView = object({
  node: string,
  name: string,
  state: word(NODE_STATES),
  since: number,
  runtime: optional(string),
  containerId: optional(string),
  report: optional(object({ phase: string, detail: optional(string), progress: optional(number) })),
  attention: optional(nodeError),
  error: optional(nodeError),
  exitCode: optional(number),
  outputs: optional(array(object({ name: string, size: number }))),
});
const errorEntry = object({
  node: string,
  phase: string,
  type: string,
  message: string,
  launchId: optional(string),
  count: number,
  firstAt: number,
  lastAt: number,
  retrying: boolean,
  advice: string,
});
const runDetail = object({
  run: runView,
  nodes: array(nodeView),
  errors: array(errorEntry),
  lastEventId: number,
  links: object({ page: string, temporal: optional(string) }),
});
const runSummary: Check = (value) => runView(value) && object({ sites: number })(value);
const consortium = object({
  id: string,
  name: string,
  computation: object({ name: string, version: string }),
  parameters: record,
  secrets: optional(array(string)),
  sites: array(object({ id: string, name: string })),
});

export const isRunView = (value: unknown): value is RunView => runView(value);
export const isNodeView = (value: unknown): value is NodeView => nodeView(value);
export const isErrorEntry = (value: unknown): value is ErrorEntry => errorEntry(value);
export const isRunDetail = (value: unknown): value is RunDetail => runDetail(value);
export const isStartedRun = (value: unknown): value is StartedRun => object({ runId: string })(value);
export const isRunList = (value: unknown): value is { runs: RunSummary[] } =>
  object({ runs: array(runSummary) })(value);
export const isConsortiumList = (value: unknown): value is { consortia: ConsortiumView[] } =>
  object({ consortia: array(consortium) })(value);
export const isRunEvent = (value: unknown): value is RunEvent =>
  object({ id: number, type: string, data: record })(value);
export const isProblem = (value: unknown): value is Problem =>
  object({
    title: string,
    detail: optional(string),
    errors: optional(array(object({ pointer: string, detail: string }))),
  })(value);
