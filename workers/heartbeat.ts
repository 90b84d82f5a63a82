/** A stop reaches an activity with the answer to a heartbeat, so this is how long one may take to be felt. */
export const HEARTBEAT_THROTTLE = '5s';
