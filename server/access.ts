/** Who may do what: decisions about who calls, without looking anything up. */
import type { AccessClaims } from '../workflows/api-contract';
import { CENTRAL_NODE, PROVISION_NODE } from '../workflows/contract';
import { HttpProblem } from './problem';

/** Who calls: the bearer of an access token, or a site, by its certificate. */
export type Caller = AccessClaims | { role: 'site'; sub: string };
export type Role = Caller['role'];

/** Whether the bearer runs this consortium. */
export function leads(claims: Caller, consortiumId: string): boolean {
  return claims.role === 'admin' || (claims.role === 'lead' && claims.consortia.includes(consortiumId));
}

/** The consortia that the bearer may look at; `undefined` is all of them. */
export function visibleConsortia(claims: Caller): string[] | undefined {
  return claims.role === 'lead' ? claims.consortia : undefined;
}

/** @throws HttpProblem unless the bearer runs the consortium */
export function mustLead(claims: Caller, consortiumId: string): void {
  if (leads(claims, consortiumId)) return;
  throw new HttpProblem('forbidden', `${claims.sub} does not lead the consortium ${consortiumId}.`);
}

/** @throws HttpProblem unless the bearer may look at the consortium and its runs */
export function mustSee(claims: Caller, consortiumId: string): void {
  if (visibleConsortia(claims)?.includes(consortiumId) ?? true) return;
  throw new HttpProblem('forbidden', `${claims.sub} does not lead the consortium ${consortiumId}.`);
}

/** @throws HttpProblem unless the bearer may act for the node: a site for itself, the central worker for the nodes of its host */
export function mustBeNode(claims: Caller, node: string): void {
  if (claims.role === 'central' && [CENTRAL_NODE, PROVISION_NODE].includes(node)) return;
  if (claims.role === 'site' && claims.sub === node) return;
  throw new HttpProblem('forbidden', `${claims.role} ${claims.sub} may not act for the node ${node}.`);
}

/** What is known of a site before anyone decides who it is. */
export interface SiteTies {
  siteId: string;
  /** The consortia that name it. */
  consortia: readonly string[];
  /** Who added it first. */
  addedBy: string | undefined;
}

/**
 * @throws HttpProblem unless the bearer may say who the site is: whoever does so could be the site. So a lead answers only
 * for sites that no other lead works with.
 */
export function mustAnswerFor(claims: Caller, { siteId, consortia, addedBy }: SiteTies): void {
  const isNobodys = consortia.length === 0 && (addedBy ?? claims.sub) === claims.sub;
  if (claims.role === 'admin' || isNobodys) return;
  if (consortia.length > 0 && consortia.every((consortium) => leads(claims, consortium))) return;
  throw new HttpProblem(
    'forbidden',
    `${claims.sub} does not lead all that the site ${siteId} takes part in. Ask an admin.`,
  );
}
