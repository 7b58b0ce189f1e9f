/** The metrics of `ocictl serve`, loaded only for `--metrics`. */
import type { CollectionMetrics } from '../../server/metrics/collection-metrics.ts';
import type { RequestObserver } from '../../server/options.ts';
import { parseListenAddress } from './announcement.ts';

interface ServedMetrics {
  /** For the server. */
  readonly requests: RequestObserver;
  /** For what opens the storage. */
  readonly storage: (driver: string) => (action: string, seconds: number) => void;
  /** For collections of garbage. */
  readonly collections: CollectionMetrics;
  /** Where they are read. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * @param word `9090`, `:9090` or `host:port`.
 * @param allowedHosts As the registry's.
 * @throws OciError USAGE, also if it cannot listen there.
 */
export async function openMetrics(word: string, allowedHosts: readonly string[]): Promise<ServedMetrics> {
  const address = parseListenAddress(/^\d+$/.test(word) ? `:${word}` : word);
  const [{ createMetrics }, { serveMetrics }] = await Promise.all([
    import('../../server/metrics/metrics.ts'),
    import('../../server/metrics/listener.ts'),
  ]);
  const { requests, storage, collections, render } = createMetrics();
  const { url, stop } = await serveMetrics({ render }, { ...address, allowedHosts });
  return { requests, storage, collections, url, stop };
}
