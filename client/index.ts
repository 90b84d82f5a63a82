/** The room's door: what workers, activities and the command line use to speak with the central API. */
export { createCentralApi, type CentralApi, type CentralApiOptions } from './central-api';
export { ApiProblem, ApiUnreachable, isProblem, mayPass } from './errors';
export { followRun, type FollowedEvent, type RunSource } from './events';
export { followLog } from './logs';
export { followChanges } from './changes';
export type { FollowOptions } from './reconnect';
export { createMusterApi, type MusterApi, type MusterApiOptions } from './muster-api';
