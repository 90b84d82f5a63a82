/** `muster computation`: the registry of computations, from a terminal. */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { signatureOf } from '../activities/shared/signed-computation';
import { isProblem, type MusterApi } from '../client';
import { ComputationRecord } from '../workflows/api-contract';
import { ComputationRef } from '../workflows/contract';
import { openApi, withApiOptions, type ApiOptions } from './api-access';
import { parseComputation } from './arguments';
import { computationBody } from './computation-body';
import { registerComputationSigning } from './computation-signing';
import { messageOf } from './message-of';
import { JSON_OPTION, print, printDone, type JsonOption } from './output';
import { UsageError } from './usage-error';

interface AddOptions extends ApiOptions, JsonOption {
  replace: boolean;
}
type ShowOptions = ApiOptions & JsonOption;

const ASK_AGAIN_MS = 1_000;

/** Adds `muster computation`. */
export function registerComputation(program: Command): void {
  const computation = program.command('computation').description('computations that consortia can use');
  withApiOptions(computation.command('add'))
    .description('register a version of a computation, and settle which image it means')
    .argument('<file>', 'its computation.yaml')
    .option('--replace', 'replace what is registered as this version', false)
    .option(...JSON_OPTION)
    .action(add);
  withApiOptions(computation.command('ls'))
    .description('list what is registered')
    .option(...JSON_OPTION)
    .action(list);
  withApiOptions(computation.command('show'))
    .description('show a version, with all that its manifest left to the defaults')
    .argument('<name[@version]>', 'without a version: the one that was registered last')
    .option(...JSON_OPTION)
    .action(show);
  withApiOptions(computation.command('rm'))
    .description('remove a version that no consortium uses')
    .argument('<name@version>', 'which one')
    .option(...JSON_OPTION)
    .action(remove);
  registerComputationSigning(computation);
}

async function add(file: string, { replace, json, ...where }: AddOptions): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}`);
  });
  const manifest = parseComputation(text, file);
  const { flaw } = await signatureOf(manifest);
  if (flaw !== undefined)
    throw new UsageError(
      `${file}: ${flaw}: sign it once more (\`muster computation sign\`), or leave it out.`,
    );
  const api = await openApi(where);
  const body = computationBody(manifest);
  const record = await untilRegistered(async () =>
    ComputationRecord.parse(
      await api.addComputation({ body, query: { replace: replace ? 'true' : 'false' } }),
    ),
  );
  const { name, version, image } = record.computation;
  print(json, record, [`${name}@${version} is registered${image === undefined ? '' : ` as ${image}`}`]);
}

/** An image of gigabytes takes a central host some minutes. */
async function untilRegistered(ask: () => Promise<ComputationRecord>): Promise<ComputationRecord> {
  for (let first = true; ; first = false) {
    try {
      return await ask();
    } catch (error) {
      if (!isProblem(error, 'image-pending')) throw error;
      if (first) process.stderr.write('A central host is pulling the image. This can take some minutes.\n');
      await pause(ASK_AGAIN_MS);
    }
  }
}

async function list({ json, ...where }: ShowOptions): Promise<void> {
  const api = await openApi(where);
  const answer = await api.listComputations();
  const lines = answer.computations.map((record) => line(ComputationRecord.parse(record)));
  print(json, answer, lines);
}

const line = ({ computation: { name, version, image }, addedBy, addedAt }: ComputationRecord) =>
  [`${name}@${version}`, image ?? 'no image', `${addedBy}, ${new Date(addedAt).toISOString()}`].join('  ');

async function show(which: string, { json, ...where }: ShowOptions): Promise<void> {
  const record = await find(await openApi(where), which);
  print(json, record, [describe(record)]);
}

async function find(api: MusterApi, which: string): Promise<ComputationRecord> {
  if (which.includes('@'))
    return ComputationRecord.parse(await api.getComputation({ path: parseRef(which) }));
  const { computations } = await api.listComputations();
  const newest = computations.find(({ computation }) => computation.name === which);
  if (newest) return ComputationRecord.parse(newest);
  throw new UsageError(`No version of ${which} is registered; \`muster computation ls\` lists what is.`);
}

async function remove(which: string, { json, ...where }: ShowOptions): Promise<void> {
  const ref = parseRef(which);
  await (await openApi(where)).removeComputation({ path: ref });
  printDone(json, `${which} is removed`);
}

/** `name@version`. */
export function parseRef(text: string): ComputationRef {
  const [, name = '', version = ''] = /^([^@]*)@(.*)$/s.exec(text) ?? [];
  const parsed = ComputationRef.safeParse({ name, version });
  if (parsed.success) return parsed.data;
  throw new UsageError(`${text} is not of the form NAME@VERSION, such as penguins@1.0.0.`);
}

/** The whole record as a person reads it. */
export function describe({ computation, image, addedBy, addedAt }: ComputationRecord): string {
  const {
    name,
    version,
    image: digest,
    commands,
    parameters,
    outputs,
    ports,
    resources,
    deadlines,
    failure,
  } = computation;
  const words = (values: readonly string[]) => values.join(' ') || 'none declared';
  const rows: [string, string][] = [
    ['registered', `by ${addedBy}, ${new Date(addedAt).toISOString()}`],
    ...(image === undefined ? [] : [['image', image.reference] satisfies [string, string]]),
    ['runs as', digest ?? 'local processes only'],
    ['provision', words(commands.provision)],
    ['central', words(commands.central)],
    ['edge', words(commands.edge)],
    ['outputs', `central ${words(outputs.central)}; edge ${words(outputs.edge)}`],
    ['ports', `${ports}, provision input ${computation.provisionInput}`],
    ['resources', pairs(resources)],
    ['deadlines', pairs(deadlines)],
    ['failure', pairs(failure)],
    ...Object.entries(image?.labels ?? {})
      .sort()
      .map(([label, value]): [string, string] => [label, value]),
    ['parameters', JSON.stringify(parameters)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return [`${name}@${version}`, ...rows.map(([label, value]) => `  ${label.padEnd(width)}${value}`)].join(
    '\n',
  );
}

const pairs = (values: object) =>
  Object.entries(values)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
