/** The metrics of a server, loaded only if they are asked for. */
import type { RequestObserver } from '../options.ts';
import { CollectionMetrics } from './collection-metrics.ts';
import { type Distribution, type Family, Histogram } from './instruments.ts';
import { processMetrics } from './process-metrics.ts';
import { RequestMetrics } from './request-metrics.ts';

const actionBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface Metrics {
  /** For the server. */
  readonly requests: RequestObserver;
  /** For the storage. @param driver Its name in distribution. @returns What takes each call that has ended. */
  readonly storage: (driver: string) => (action: string, seconds: number) => void;
  /** For the collections of garbage. */
  readonly collections: CollectionMetrics;
  /** All of them, in the text format of Prometheus. */
  render(): string;
}

/** Metrics under the names of distribution, so that its dashboards and alerts go on. */
export function createMetrics(): Metrics {
  const requests = new RequestMetrics();
  const actions = new Histogram(
    'registry_storage_action_seconds',
    'The number of seconds that the storage action takes',
    ['action', 'driver'],
    actionBounds,
  );
  const collections = new CollectionMetrics();
  const families: readonly Family[] = [...requests.families, actions, ...collections.families, ...processMetrics()];
  return {
    requests,
    collections,
    storage(driver) {
      const known = new Map<string, Distribution>();
      return (action, seconds) => {
        const found = known.get(action) ?? actions.at(action, driver);
        known.set(action, found);
        found.observe(seconds);
      };
    },
    render: () => families.map((family) => family.render()).join(''),
  };
}
