/** A runKit's way: packed, sealed and published by a central worker, downloaded, opened and unpacked where its node will run. */
export { newContentKey, openKit } from './kit-cipher';
export { packKit } from './pack-kit';
export { publishKits, republishKits, type PublishKitsInput } from './publish-kits';
export { downloadKit, type DownloadKitInput } from './download-kit';
export { extractKit } from './extract-kit';
export { KIT_LIMITS, type KitLimits } from './kit-rules';
export type { Digest } from './digest';
