/** The room's door: run kits and results, and the object store that they are kept in. */
export {
  createObjectStore,
  objectStoreConfigFromEnv,
  type ObjectStore,
  type ObjectStoreConfig,
} from './object-store';
export * from './run-kits';
export { storeResultManifest, storeResults } from './results';
