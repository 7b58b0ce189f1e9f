import { Counter, type Family, Histogram } from './instruments.ts';

/** 100 ms to three hours. */
const durationBounds = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 10_800];

/** A collection that was run here. */
interface EndedCollection {
  readonly durationMs: number;
  /** What it freed; undefined if it failed. */
  readonly freed: { readonly blobs: number; readonly bytes: number } | undefined;
}

/** Metrics of the collections that this process runs. distribution has none. */
export class CollectionMetrics {
  readonly #runs = new Counter('registry_gc_runs_total', 'Collections of garbage that were run here.', ['result']);
  readonly #blobs = new Counter('registry_gc_freed_blobs_total', 'Blobs that collections removed.', []);
  readonly #bytes = new Counter('registry_gc_freed_bytes_total', 'Bytes that collections freed.', []);
  readonly #seconds = new Histogram(
    'registry_gc_duration_seconds',
    'How long collections took in seconds.',
    ['result'],
    durationBounds,
  );
  readonly #lastSuccess = new Counter(
    'registry_gc_last_success_timestamp_seconds',
    'When the last collection succeeded, in seconds since 1970.',
    [],
    'gauge',
  );
  readonly families: readonly Family[] = [this.#runs, this.#blobs, this.#bytes, this.#seconds, this.#lastSuccess];

  /** To be called once there will be collections: a counter that begins with 0 shows its first increase. */
  expect(): void {
    for (const result of ['success', 'failure']) this.#runs.at(result).total += 0;
    this.#blobs.at().total += 0;
    this.#bytes.at().total += 0;
  }

  ended({ durationMs, freed }: EndedCollection): void {
    const result = freed === undefined ? 'failure' : 'success';
    this.#runs.at(result).total += 1;
    this.#seconds.at(result).observe(durationMs / 1000);
    if (freed === undefined) return;
    this.#blobs.at().total += freed.blobs;
    this.#bytes.at().total += freed.bytes;
    this.#lastSuccess.at().total = Date.now() / 1000;
  }
}
