import { LateChallenges } from '../auth/late-challenges.ts';
import type { KeptHostFacts } from '../host-facts/host-facts.ts';
import type { EndpointState } from '../registry/wrappers/fallback/candidate.ts';
import { Connections } from '../transport/connections.ts';

/**
 * What services of several identities share, so that each host is connected to and probed only once. Nothing in it is
 * secret: each service has its own tokens and credentials.
 */
export interface Shared {
  readonly connections: Connections;
  readonly lateChallenges: LateChallenges;
  readonly hostFacts: KeptHostFacts;
  /** By origin: whether it has answered, which also tells which scheme a host speaks. */
  readonly states: Map<string, EndpointState>;
}

/** Writes what was learned of hosts, and closes the connections. */
export async function closeShared({ connections, hostFacts }: Shared): Promise<void> {
  hostFacts.save();
  await connections.close();
}

export function createShared(hostFacts: KeptHostFacts): Shared {
  return { connections: new Connections(), lateChallenges: new LateChallenges(), hostFacts, states: new Map() };
}
