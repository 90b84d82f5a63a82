/** Why there is no log of a node, in plain words and as far as the central API can know. */
import { CENTRAL_NODE, PROVISION_NODE, type NodeState } from '../../workflows/contract';
import { isTerminalNode } from '../../workflows/run-state';

const UNSTARTED: readonly NodeState[] = ['waiting', 'fetching', 'launching'];

/** @param state of the node, unless the log is that of an earlier launch */
export function whyNoLog(node: string, state: NodeState | undefined): string {
  if (state === 'refused') return `The site ${node} refused the run: its node never ran.`;
  if (state !== undefined && UNSTARTED.includes(state))
    return `${node} is ${state}: its node has not begun, so that there is no log yet.`;
  if (node === CENTRAL_NODE || node === PROVISION_NODE)
    return `Nothing of the log of ${node} has arrived: it has said nothing so far, or its host could not send it.`;
  const setting = 'the `logs` setting in its site.yaml: `stream` sends it while the node runs';
  const rest = '`on-error`, the default, only once the node has failed, `none` never';
  const moment = state === undefined || isTerminalNode(state) ? 'has' : 'has so far';
  return `Nothing of the log of ${node} ${moment} left the site. The site decides (${setting}, ${rest}).`;
}
