import type { Context } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import type { TransferEvent } from '../../model/events.ts';
import { layersOf } from '../../transfer/pushed.ts';
import type { TransferOptions } from '../../transfer/transfer.ts';
import type { BlobOutcome } from './run-transfer.ts';

/** What became of the layers of a batch, image by image: a layer that several share counts for the first. */
export class LayerOutcomes {
  readonly #told = new Map<Digest, BlobOutcome['outcome']>();

  note(event: TransferEvent): void {
    if (event.type !== 'done' || event.kind !== 'layer') return;
    const { digest } = event.node;
    if (this.#told.get(digest) === undefined || event.outcome !== 'exists') this.#told.set(digest, event.outcome);
  }

  /** @param image Where its manifests can be read. */
  async of(image: TransferOptions['from'], { signal }: Context): Promise<BlobOutcome[]> {
    const outcomes: BlobOutcome[] = [];
    for await (const { digest, size } of layersOf(image, { signal })) {
      const outcome = this.#told.get(digest);
      outcomes.push({ digest, size, outcome: outcome ?? 'exists' });
      if (outcome !== undefined && outcome !== 'foreign') this.#told.set(digest, 'exists');
    }
    return outcomes;
  }
}
