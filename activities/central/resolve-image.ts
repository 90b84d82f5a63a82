/** resolveImage: what an image that somebody names is on this host; it is pulled if need be. */
import type { HostImages } from '../../nodes';
import type { ResolveImageInput, ResolvedImage } from '../../workflows/contract';

export function createResolveImage(images: HostImages) {
  return function resolveImage({ image }: ResolveImageInput): Promise<ResolvedImage> {
    return images.resolve(image);
  };
}
