import type { RemoteOptions } from '../options.ts';

const defaultBytes = 8 * 1024 * 1024;
const leastBytes = 1024 * 1024;

/** How much of a blob a registry takes in one request, as far as this run or an earlier one has found out. */
export class ChunkSize {
  readonly #options: Pick<RemoteOptions, 'facts' | 'uploadChunkBytes'>;
  /** Set once this run had a request refused. */
  #bytes: number | undefined;

  constructor(options: Pick<RemoteOptions, 'facts' | 'uploadChunkBytes'>) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes ?? Math.min(this.#options.uploadChunkBytes ?? defaultBytes, this.#maxBodyBytes);
  }

  /** Whether a blob of this size has to be sent in chunks. */
  isNeeded(size: number): boolean {
    return this.#bytes !== undefined || size > this.#maxBodyBytes;
  }

  /** Chunks of the present size were accepted: later runs begin with it if larger ones were not. */
  accepted(): void {
    if (this.#bytes !== undefined) this.#options.facts?.learn({ maxBodyBytes: this.#bytes });
  }

  /**
   * A request was too large.
   *
   * @param tried Size of its chunk; undefined for a whole blob.
   * @returns Whether a smaller one may be tried.
   */
  refused(tried: number | undefined): boolean {
    // Another blob may have lowered the limit meanwhile.
    const next = Math.min(this.bytes, tried === undefined ? this.bytes : tried / 2);
    this.#bytes = Math.max(next, leastBytes);
    return next >= leastBytes;
  }

  get #maxBodyBytes(): number {
    return this.#options.facts?.known.maxBodyBytes ?? Number.POSITIVE_INFINITY;
  }
}
