/**
 * Why a request may be refused: concluded from what its route is (who may call it, where its path leads to, what it takes and
 * what it needs), so that a route names only what is its own. The description of the API has it from here.
 */
import { isForPeople, type Role } from './access';
import { KINDS, type ProblemKind } from './problem-kinds';

/** What a route may need beside the database, and how it is refused without. */
const NEEDS = {
  temporal: ['temporal-unreachable', 'temporal-refused'],
  objects: ['object-store-unreachable'],
  /** Keys that open what the database holds sealed. */
  keys: ['key-missing'],
  /** An address at which sites can join. */
  enrolment: ['no-enrolment'],
} as const satisfies Readonly<Record<string, readonly ProblemKind[]>>;
export type Need = keyof typeof NEEDS;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What it takes to answer, beside the database. */
    needs?: readonly Need[];
    /** Why else it may be refused: what does not follow from all that the route says beside. */
    refuses?: readonly ProblemKind[];
  }
}

/** A problem that has a name, or a status that says it all. */
export type Refusal = ProblemKind | PlainStatus;
type PlainStatus = 400 | 413 | 415 | 500;

/** As much of a route as decides it. */
export interface RouteFacts {
  method: string;
  /** As it is registered, such as `/api/runs/:runId`. */
  url: string;
  roles: readonly Role[] | 'anyone';
  beforePassword: boolean;
  needs: readonly Need[];
  refuses: readonly ProblemKind[];
  /** Whether it has a schema of a part of the request. */
  isChecked: boolean;
  /** The headers that it reads. */
  headers: readonly string[];
}

const READS = ['GET', 'HEAD'];

/** What the path names that is looked up; what else it may name, only the route itself can tell. */
const LOOKED_UP = [
  ['consortiumId', 'unknown-consortium'],
  ['runId', 'unknown-run'],
  ['personId', 'unknown-person'],
  ['noticeId', 'unknown-notice'],
] as const;

/** All refusals of a route, each once. */
export function refusalsOf(route: RouteFacts): Refusal[] {
  const found = [
    ...ofForm(route),
    ...ofAccess(route),
    ...ofPath(route),
    ...(route.headers.includes('if-match') ? (['changed-meanwhile', 'precondition-needed'] as const) : []),
    ...route.refuses,
    ...route.needs.flatMap((need) => NEEDS[need]),
    // Who calls is looked up, whatever is asked.
    ...(route.roles === 'anyone' && READS.includes(route.method) ? [] : (['database-unreachable'] as const)),
    500 as const,
  ];
  return [...new Set<Refusal>(found)];
}

export const statusOf = (refusal: Refusal): number =>
  typeof refusal === 'number' ? refusal : KINDS[refusal].status;

/** What cannot be read, and what does not fit its schema. */
function ofForm({ method, url, isChecked }: RouteFacts): Refusal[] {
  const hasBody = !READS.includes(method);
  return [
    ...(hasBody || url.includes(':') ? [400 as const] : []),
    ...(hasBody ? ([413, 415] as const) : []),
    ...(isChecked ? (['invalid-request'] as const) : []),
  ];
}

function ofAccess({ roles, beforePassword }: RouteFacts): Refusal[] {
  if (roles === 'anyone') return [];
  return [
    ...(['unauthenticated', 'forbidden'] as const),
    ...(isForPeople(roles) && !beforePassword ? (['password-change-needed'] as const) : []),
    ...(roles.includes('site')
      ? (['certificate-needed', 'certificate-refused', 'certificate-expired', 'certificate-revoked'] as const)
      : []),
  ];
}

/** What is asked for people is there, or they are told that it is not; what a `PUT` names last, it makes. */
function ofPath({ method, url, roles }: RouteFacts): Refusal[] {
  if (roles === 'anyone' || !isForPeople(roles)) return [];
  const named = LOOKED_UP.filter(([name]) => url.includes(`/:${name}`));
  return named
    .filter(([name]) => !(method === 'PUT' && url.endsWith(`/:${name}`)))
    .map(([, refusal]) => refusal);
}
