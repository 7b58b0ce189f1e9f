import type { Challenge } from '../model/challenge.ts';
import { RecentMap } from '../model/recent-map.ts';

/**
 * Remembers how registries want to be asked, so that the first request to one already carries a token. An error of it is
 * the same as knowing nothing.
 */
export interface ChallengeCache {
  /** @param endpoint Where the registry's API begins, as a URL. */
  get(endpoint: string): Promise<readonly Challenge[] | undefined>;
  set(endpoint: string, challenges: readonly Challenge[]): Promise<void>;
}

const maxEndpoints = 1000;

/** One in memory. May be shared by everything in a process. */
export function createChallengeCache(): ChallengeCache {
  const known = new RecentMap<string, readonly Challenge[]>(maxEndpoints);
  return {
    get: async (endpoint) => known.get(endpoint),
    set: async (endpoint, challenges) => known.set(endpoint, challenges),
  };
}

/** What of a challenge holds for every request: scope and error were the answer to one. */
export function lasting({ scheme, parameters }: Challenge): Challenge {
  const { scope: _scope, error: _error, error_description: _description, ...rest } = parameters;
  return { scheme, parameters: rest };
}
