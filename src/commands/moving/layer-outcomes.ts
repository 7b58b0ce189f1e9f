import type { Digest } from '../../model/digest.ts';
import type { NodeOutcome } from '../../model/events.ts';
import type { TransferResult } from '../../transfer/transfer.ts';

/** One layer in the result of `--json`. */
export interface LayerOutcome {
  readonly digest: Digest;
  readonly size: number;
  readonly outcome: NodeOutcome;
}

/** The layers of an image, without those of manifests that the destination had. */
export function layerOutcomes({ blobs }: TransferResult): LayerOutcome[] {
  const layers = blobs.filter(({ kind }) => kind === 'layer');
  return layers.map(({ descriptor: { digest, size }, outcome }) => ({ digest, size, outcome }));
}
