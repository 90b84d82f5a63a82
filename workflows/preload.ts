/**
 * What the workflows of a worker share: made once, and not anew for each of them, which would be most of a workflow's
 * cost. These are the schemas, and zod with them: they keep no state of a workflow.
 */
import * as contract from './contract';

// The SDK freezes in depth what is shared, but does not look into what is frozen already. A schema must be free to
// remember what it has worked out.
Object.freeze(contract);
