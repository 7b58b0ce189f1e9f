import { LateChallenges } from '../auth/late-challenges.ts';
import type { EndpointState } from '../registry/wrappers/fallback/candidate.ts';
import { Connections } from '../transport/connections.ts';

/**
 * What the services of several identities share, so that no host is connected to and tried out twice. None of it is secret:
 * tokens and credentials are each service's own.
 */
export interface Shared {
  readonly connections: Connections;
  readonly lateChallenges: LateChallenges;
  /** By origin: whether it answers, and thereby which scheme a host speaks. */
  readonly states: Map<string, EndpointState>;
}

export function createShared(): Shared {
  return { connections: new Connections(), lateChallenges: new LateChallenges(), states: new Map() };
}
