import type { TransferBatch } from '../../transfer/batch.ts';
import { Slots } from '../../transfer/slots.ts';
import type { TransferResult, TransferRoot } from '../../transfer/transfer.ts';

/** How many images are planned at once, which may take requests to the source and the destination. */
const parallelPlans = 9;

/** An image to move. */
export interface Planned {
  readonly root: TransferRoot;
}

/** A batch whose images are planned while others move. Its total is known when all are planned. */
export class PlannedBatch {
  readonly #batch: TransferBatch;
  readonly #plans = new Slots(parallelPlans);
  #expected = 0;

  constructor(batch: TransferBatch) {
    this.#batch = batch;
  }

  /** Announces images. @returns What to call when their plans have begun, or there is none. */
  expect(): () => void {
    this.#expected += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#expected -= 1;
      if (this.#expected === 0) this.#batch.end();
    };
  }

  /** Moves an image that was announced. */
  transfer(root: TransferRoot): Promise<TransferResult> {
    return this.#batch.transfer(root);
  }

  /** Plans an image, then moves it. */
  async move<P extends Planned>(
    plan: () => Promise<P>,
  ): Promise<{ readonly plan: P; readonly result: TransferResult }> {
    const endPlan = this.expect();
    try {
      const made = await this.#plans.run(plan);
      const transferred = this.transfer(made.root);
      endPlan();
      return { plan: made, result: await transferred };
    } finally {
      endPlan();
    }
  }
}
