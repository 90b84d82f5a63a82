/** The workflow types that a central worker offers; the entry of the workflow bundle. */
export { RunWorkflow } from './run';
export { EdgeRunWorkflow } from './edge-run';
export { ResolveImageWorkflow } from './resolve-image';
export { NoticeWorkflow } from './notice';
