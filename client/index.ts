/**
 * The room's door: what the command line and scripts use to speak with the central API. Workers take single parts of the room:
 * the client of people is large, and memory at a site is there for the computation.
 */
export { ApiProblem, ApiUnreachable, isProblem, mayPass } from './errors';
export { followRun, type FollowedEvent, type RunSource } from './events';
export { followLog } from './logs';
export { followChanges } from './changes';
export type { FollowOptions } from './reconnect';
export { createMusterApi, type MusterApi, type MusterApiOptions } from './muster-api';
