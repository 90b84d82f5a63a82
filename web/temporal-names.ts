/**
 * Stands in for Temporal's library when the page is built: the contract names signals and queries with it, and the page sends
 * neither, so that the names are enough.
 */
export const defineSignal = (name: string) => ({ type: 'signal', name });
export const defineQuery = (name: string) => ({ type: 'query', name });
