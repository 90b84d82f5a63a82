/** Who may do what: decisions about who calls, without looking anything up. */
import type { AccessClaims } from '../workflows/api-contract';
import { CENTRAL_NODE, PROVISION_NODE } from '../workflows/contract';
import type { ConsortiumRole, Scope } from '../workflows/people-contract';
import { HttpProblem } from './problem';

/** Somebody who has signed in, or sends a token of their own; or an operator, who holds the API's secret. */
export interface Person {
  role: 'person';
  /** `operator:NAME` for an operator, who has no account. */
  id: string;
  /** What they are called wherever it says who did something. */
  sub: string;
  admin: boolean;
  consortia: Readonly<Record<string, ConsortiumRole>>;
  /** The sites that they administer. */
  sites: readonly string[];
  /** What they showed. */
  via: 'session' | 'token' | 'operator';
  /** What the token that they sent is good for. */
  scope?: Scope;
  /** Whose session, by its own id. */
  sessionId?: string;
  /** They have to choose a password of their own before anything else. */
  mustChangePassword?: boolean;
}

/** Who calls: a person, a part of the centre or a node by its token, or a site by its certificate. */
export type Caller = Person | Exclude<AccessClaims, { role: 'admin' }> | { role: 'site'; sub: string };

type Service = Exclude<Caller['role'], 'person'>;

/**
 * What a route names of those who may call it. The roles of people but `admin` and `person` hold where the path leads to: the
 * consortium there, or of the run there; `siteAdmin` for the site there, or for a site that takes part in the consortium or
 * run.
 */
export type Role = Service | 'admin' | 'person' | ConsortiumRole | 'siteAdmin';

/** Where the path of a request leads to, as far as the roles that hold there need it. */
export interface Destination {
  consortiumId?: string | undefined;
  runId?: string | undefined;
  siteId?: string | undefined;
  /** Whether a site that the caller administers takes part in the consortium or the run. */
  takesPart?: boolean;
}

export function operator(sub: string): Person {
  return {
    role: 'person',
    id: `operator:${sub}`,
    sub,
    admin: true,
    consortia: {},
    sites: [],
    via: 'operator',
  };
}

const RANK: Readonly<Record<ConsortiumRole, number>> = { viewer: 1, member: 2, lead: 3 };
const isConsortiumRole = (role: Role): role is ConsortiumRole => role in RANK;
const PEOPLE = new Set<Role>(['admin', 'person', 'viewer', 'member', 'lead', 'siteAdmin']);
export const isForPeople = (roles: readonly Role[]): boolean => roles.some((role) => PEOPLE.has(role));
/** Whether it matters where the path leads to. */
export const dependsOnPath = (roles: readonly Role[]): boolean =>
  roles.some((role) => role === 'siteAdmin' || isConsortiumRole(role));

/** Whether the caller may do, in a consortium, what `least` may do there. */
export function holds({ admin, consortia }: Person, consortiumId: string, least: ConsortiumRole): boolean {
  const has = Object.hasOwn(consortia, consortiumId) ? consortia[consortiumId] : undefined;
  return admin || (has !== undefined && RANK[has] >= RANK[least]);
}

/** Whether one of the roles lets the caller in. */
export function mayCall(caller: Caller, roles: readonly Role[], to: Destination): boolean {
  if (caller.role !== 'person') return roles.includes(caller.role);
  if (caller.admin) return isForPeople(roles);
  return roles.some((role) => {
    if (role === 'person') return true;
    if (role === 'siteAdmin')
      return to.siteId === undefined ? to.takesPart === true : caller.sites.includes(to.siteId);
    return isConsortiumRole(role) && to.consortiumId !== undefined && holds(caller, to.consortiumId, role);
  });
}

/** How far a token goes: to look at something, to start, stop and retry runs, or to all else. */
const SCOPE_RANK: Readonly<Record<Scope, number>> = { read: 1, run: 2, all: 3 };
export const reaches = ({ scope = 'all' }: Person, needed: Scope): boolean =>
  SCOPE_RANK[scope] >= SCOPE_RANK[needed];

/** Why the caller may not, in words for them. */
export function refusal(caller: Caller, roles: readonly Role[], to: Destination): string {
  const where =
    to.consortiumId !== undefined
      ? ` of the consortium ${to.consortiumId}`
      : to.runId !== undefined
        ? ` of the run ${to.runId}`
        : '';
  const words: Readonly<Record<Role, string>> = {
    ...{ central: 'central workers', gateway: 'site gateways', node: 'nodes', site: 'sites' },
    ...{ admin: 'admins', person: 'people who have signed in' },
    ...{ lead: `a lead${where}`, member: `a member${where}`, viewer: `a viewer${where}` },
    siteAdmin: `an administrator of ${to.siteId === undefined ? 'a site that takes part' : `the site ${to.siteId}`}`,
  };
  const who = caller.role === 'person' ? `${caller.sub} is not` : `${caller.sub} is ${caller.role}`;
  return `This is for ${[...new Set(roles.map((role) => words[role]))].join(' or ')}; ${who}.`;
}

/** @throws HttpProblem unless the bearer may act for the node: a site for itself, the central worker for the nodes of its host */
export function mustBeNode(claims: Caller, node: string): void {
  if (claims.role === 'central' && [CENTRAL_NODE, PROVISION_NODE].includes(node)) return;
  if (claims.role === 'site' && claims.sub === node) return;
  throw new HttpProblem('forbidden', `${claims.role} ${claims.sub} may not act for the node ${node}.`);
}

/**
 * The caller, where the route is for people alone.
 * @throws HttpProblem
 */
export function mustBePerson(claims: Caller): Person {
  if (claims.role === 'person') return claims;
  throw new HttpProblem('forbidden', `This is for people; ${claims.sub} is ${claims.role}.`);
}

/** What is known of a site before anyone decides who it is. */
export interface SiteTies {
  siteId: string;
  /** The consortia that name it. */
  consortia: readonly string[];
  /** Id of the person who added it first; `undefined`: nobody did. */
  addedById: string | undefined;
  /** Whether it has administrators of its own. */
  hasAdmins: boolean;
}

/**
 * Whether somebody may say who the site is: whoever does so could be the site. That is for its own administrators; and while it
 * has none, for who added it, as long as it takes part in nothing that others lead. To name a site in a consortium of one's own
 * gives no say over it.
 */
export function answersFor(person: Person, { siteId, consortia, addedById, hasAdmins }: SiteTies): boolean {
  if (person.admin || person.sites.includes(siteId)) return true;
  const isOwn = !hasAdmins && (addedById ?? person.id) === person.id;
  return isOwn && consortia.every((consortium) => holds(person, consortium, 'lead'));
}

/** @throws HttpProblem unless the caller {@link answersFor} the site */
export function mustAnswerFor(claims: Caller, ties: SiteTies): void {
  const person = mustBePerson(claims);
  if (answersFor(person, ties)) return;
  const { siteId, hasAdmins } = ties;
  const why = hasAdmins
    ? `The site ${siteId} has administrators of its own.`
    : `${person.sub} did not add the site ${siteId}, or does not lead all that it takes part in.`;
  throw new HttpProblem('forbidden', `${why} Ask an admin.`);
}
