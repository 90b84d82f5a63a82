/** A computation as it is registered: what it does not say is left out. */
import type { Computation } from '../workflows/contract';

type Body = Omit<Computation, 'image' | 'signature'> & { image?: string; signature?: string };

/** The body of a registration. */
export function computationBody({ image, signature, ...rest }: Computation): Body {
  return {
    ...rest,
    ...(image !== undefined && { image }),
    ...(signature !== undefined && { signature }),
  };
}
