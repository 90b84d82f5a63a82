/** When an error happened, in words. Pure. */

/** By the activity, or the state, that an error names as its phase. */
const WORDS: Readonly<Record<string, string>> = {
  provisionProject: 'while provisioning',
  takeOverLaunch: 'while taking over the kits',
  publishRunKits: 'while publishing kits',
  handOnKits: 'while handing on the kit',
  launchCentralNode: 'while launching',
  reportRunStartedCentral: 'while launching',
  signalEdgeClients: 'while calling the sites',
  fetchRunKit: 'while fetching its kit',
  launchEdgeNode: 'while launching',
  superviseNode: 'while running',
  collectResults: 'while collecting results',
  stopNode: 'while stopping',
  releaseLaunch: 'while clearing up',
  waiting: 'while waiting',
  fetching: 'while fetching its kit',
  launching: 'while launching',
  running: 'while running',
  stopping: 'while stopping',
  watch: 'while running',
};

/** When it happened; a phase that this page does not know is named as the run names it. */
export const wordsOfPhase = (phase: string): string =>
  Object.hasOwn(WORDS, phase) ? (WORDS[phase] ?? phase) : `in ${phase}`;
