import { grown } from './digest-table.ts';

/** Arrows between numbered things: 8 bytes each, and as many when they are first asked for. */
export class Edges {
  #pairs = new Uint32Array(32);
  #size = 0;
  #byFrom: { readonly starts: Uint32Array; readonly targets: Uint32Array } | undefined;

  add(from: number, to: number): void {
    if (this.#size * 2 === this.#pairs.length) this.#pairs = grown(this.#pairs, Uint32Array);
    this.#pairs[this.#size * 2] = from;
    this.#pairs[this.#size * 2 + 1] = to;
    this.#size += 1;
    this.#byFrom = undefined;
  }

  /** Where the arrows from here lead. */
  from(from: number): Uint32Array {
    this.#byFrom ??= this.#sorted();
    const { starts, targets } = this.#byFrom;
    return targets.subarray(starts[from] ?? 0, starts[from + 1] ?? starts[from] ?? 0);
  }

  // By counting: where the arrows of each begin, then each arrow to its place.
  #sorted() {
    const pairs = this.#pairs.subarray(0, this.#size * 2);
    const count = pairs.reduce((most, value, at) => (at % 2 === 0 && value >= most ? value + 1 : most), 0);
    const starts = new Uint32Array(count + 1);
    for (let at = 0; at < pairs.length; at += 2) starts[(pairs[at] ?? 0) + 1] = (starts[(pairs[at] ?? 0) + 1] ?? 0) + 1;
    for (let at = 1; at < starts.length; at += 1) starts[at] = (starts[at] ?? 0) + (starts[at - 1] ?? 0);
    const next = starts.slice();
    const targets = new Uint32Array(this.#size);
    for (let at = 0; at < pairs.length; at += 2) {
      const from = pairs[at] ?? 0;
      targets[next[from] ?? 0] = pairs[at + 1] ?? 0;
      next[from] = (next[from] ?? 0) + 1;
    }
    return { starts, targets };
  }
}
