import type { Challenge } from '../model/challenge.ts';
import { RecentMap } from '../model/recent-map.ts';

/**
 * Remembers the challenges of registries, so that the first request to one already has a token. If it fails, it counts
 * as empty.
 */
export interface ChallengeCache {
  /** @param endpoint The base URL of the registry's API. */
  get(endpoint: string): Promise<readonly Challenge[] | undefined>;
  /** @param challenges Empty: it has been found to work without. */
  set(endpoint: string, challenges: readonly Challenge[]): Promise<void>;
}

const maxEndpoints = 1000;

/** A cache in memory. A whole process may share one. */
export function createChallengeCache(): ChallengeCache {
  const known = new RecentMap<string, readonly Challenge[]>(maxEndpoints);
  return {
    get: async (endpoint) => known.get(endpoint),
    set: async (endpoint, challenges) => known.set(endpoint, challenges),
  };
}

/** The part of a challenge that applies to every request: without scope and error, which concern a single one. */
export function lasting({ scheme, parameters }: Challenge): Challenge {
  const { scope: _scope, error: _error, error_description: _description, ...rest } = parameters;
  return { scheme, parameters: rest };
}
