import { isDeepStrictEqual } from 'node:util';
import { Names } from './names.ts';
import { Origins, type OriginsOptions } from './origins.ts';

interface Known {
  readonly base: string;
  readonly options: OriginsOptions;
  readonly origins: Origins;
}

/** The connections of several transports. Those with the same base, the same way to it and the same trust share them. */
export class Connections {
  readonly #names = new Names();
  #known: readonly Known[] = [];

  /** The connections for a base. None is opened before the first request. */
  to(base: URL, { tls, limits, addresses, proxy, allowPrivate, hostFacts }: OriginsOptions): Origins {
    const options = { tls, limits, addresses, proxy, allowPrivate };
    const same = this.#known.find((one) => one.base === base.origin && isDeepStrictEqual(one.options, options));
    if (same) return same.origins;
    const origins = new Origins(base, { ...options, hostFacts, names: this.#names });
    this.#known = [...this.#known, { base: base.origin, options, origins }];
    return origins;
  }

  /** Closes every connection. Transports that used them fail from now on. */
  async close(): Promise<void> {
    const known = this.#known;
    this.#known = [];
    await Promise.all(known.map(({ origins }) => origins.close()));
  }
}
