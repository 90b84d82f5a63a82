/**
 * The problems of each operation, as the description of the API has them: every status that it may answer with, and the types of
 * problem that come with it. Operations that are refused alike share one response.
 */
import { plainProblem, typeOf } from '../problem';
import { KINDS } from '../problem-kinds';
import { statusOf, type Refusal } from '../refusals';
import type { Problem } from '../../workflows/api-contract';

interface Reference {
  $ref: string;
}
type Response = ReturnType<typeof responseOf>;

/** Responses by the names that operations refer to them by. */
export class ProblemResponses {
  private readonly known = new Map<string, Response>();

  /** What stands in an operation for its refusals, by status. */
  of(refusals: readonly Refusal[]): Record<string, Reference> {
    const byStatus = new Map<number, Refusal[]>();
    for (const refusal of refusals) {
      const status = statusOf(refusal);
      byStatus.set(status, [...(byStatus.get(status) ?? []), refusal]);
    }
    return Object.fromEntries(
      [...byStatus].map(([status, those]) => [String(status), { $ref: this.refTo(status, those.sort()) }]),
    );
  }

  /** All that were referred to so far, by name. */
  get components(): Record<string, Response> {
    return Object.fromEntries([...this.known].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private refTo(status: number, refusals: readonly Refusal[]): string {
    const kinds = refusals.filter((refusal) => typeof refusal === 'string');
    const name = [status, ...kinds, ...(kinds.length === refusals.length ? [] : ['blank'])].join('.');
    if (!this.known.has(name)) this.known.set(name, responseOf(status, refusals));
    return `#/components/responses/${name}`;
  }
}

function responseOf(status: number, refusals: readonly Refusal[]) {
  return {
    description: refusals.map(inWords).join(' '),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            {
              type: 'object' as const,
              properties: { type: { enum: refusals.map(typeIn) }, status: { const: status } },
            },
          ],
        },
        examples: Object.fromEntries(
          refusals.map((refusal) => [
            typeof refusal === 'string' ? refusal : 'blank',
            { value: exampleOf(refusal) },
          ]),
        ),
      },
    },
  };
}

const typeIn = (refusal: Refusal) => (typeof refusal === 'string' ? typeOf(refusal) : 'about:blank');

const inWords = (refusal: Refusal) =>
  typeof refusal === 'string'
    ? `\`${refusal}\`: ${KINDS[refusal].title}. ${KINDS[refusal].advice}`
    : `\`about:blank\`: ${PLAIN[refusal].meaning}`;

const PLAIN = {
  400: {
    meaning: 'Not to be read at all: the address, or a body that is no JSON.',
    detail: "Body is not valid JSON but content-type is set to 'application/json'",
  },
  413: { meaning: 'The body is too large.', detail: 'Request body is too large' },
  415: { meaning: 'The body is of another media type.', detail: 'Unsupported Media Type' },
  500: {
    meaning: 'A defect: the log of the API says more, under what the detail names.',
    detail:
      'Something went wrong. The log of the central API says more, under 5f0a4c1e-93a7-4f0e-a6f1-2f4f7f3c9d11.',
  },
} as const satisfies Readonly<Record<Extract<Refusal, number>, { meaning: string; detail: string }>>;

function exampleOf(refusal: Refusal): Problem {
  if (typeof refusal === 'number') return plainProblem(refusal, PLAIN[refusal].detail);
  const { status, title, example } = KINDS[refusal];
  return { type: typeOf(refusal), title, status, detail: example };
}
