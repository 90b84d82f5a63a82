/**
 * What parsers of foreign bytes are fed here: 100,000 cases of what nobody should send. None may crash the parser, keep
 * it busy, or bring it to do what it should not; what that is, each subject's own test says.
 */
import { Script, createContext } from 'node:vm';
import fc from 'fast-check';

/** How many cases of each. */
export const CASES = {
  'the fields of a message': 10_000,
  'a request of a site': 36_000,
  'the payloads in a request': 6_000,
  'an answer of Temporal': 6_000,
  'a call’s message as it arrives': 8_000,
  'a task token': 8_000,
  'an enrolment code': 6_000,
  'the signed word on a launch': 4_000,
  'what the centre may sign': 2_000,
  'the key of a kit': 4_000,
  'the signature of a computation': 4_000,
  'a kit': 8_000,
  'a computation.yaml': 6_000,
  'a site.yaml': 6_000,
} as const;
export type Subject = keyof typeof CASES;

/** Who takes longer for one case hangs, also on a machine with other things to do. */
export const PATIENCE_MS = 10_000;
export const ALL_CASES_MS = 300_000;

/** Tries `parse` with inputs of each kind, which have the cases of the subject to share. */
export function fuzz<Input>(
  subject: Subject,
  kinds: Readonly<Record<string, fc.Arbitrary<Input>>>,
  parse: (input: Input) => unknown,
): void {
  const numRuns = Math.ceil(CASES[subject] / Object.keys(kinds).length);
  it.each(Object.entries(kinds))(
    `${subject}: %s`,
    async (_, inputs) => {
      const property = fc.asyncProperty(inputs, async (input) => {
        await interruptible(() => parse(input));
      });
      await fc.assert(property, { numRuns, timeout: 2 * PATIENCE_MS });
    },
    ALL_CASES_MS,
  );
}

const script = new Script('work()');
/** One for all: to make a context takes longer than most cases. */
const context: { work?: () => unknown } = {};
createContext(context);

/** Ends `work` where it goes on for too long, also within a loop or a regular expression. */
function interruptible(work: () => unknown): unknown {
  context.work = work;
  return script.runInContext(context, { timeout: PATIENCE_MS });
}
