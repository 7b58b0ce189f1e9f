import type { Challenge } from '../model/challenge.ts';
import { isOciError } from '../model/errors.ts';
import { RecentMap } from '../model/recent-map.ts';
import type { Transport } from '../transport/transport.ts';
import { routePath } from '../wire/routes.ts';
import { challengesOf } from './challenges.ts';

const maxEndpoints = 1000;

/**
 * Challenges of registries that answer anonymous clients "not found" or "forbidden" instead of a challenge: their `/v2/`
 * sends one. Each registry is asked once. Challenges are not secret, so several identities may share this object.
 */
export class LateChallenges {
  readonly #asked = new RecentMap<string, Promise<readonly Challenge[]>>(maxEndpoints);

  /** The challenges of a registry; undefined if it was not asked yet. */
  known({ base }: Transport): Promise<readonly Challenge[]> | undefined {
    return this.#asked.get(base.href);
  }

  /**
   * Empty if it requires no authentication, or sends no challenge. Not bound to one caller's signal; the transport's
   * timeouts end it.
   */
  ask(transport: Transport): Promise<readonly Challenge[]> {
    const asked = this.known(transport) ?? askBase(transport);
    this.#asked.set(transport.base.href, asked);
    return asked;
  }
}

async function askBase(transport: Transport): Promise<readonly Challenge[]> {
  const url = new URL(`.${routePath({ name: 'base' })}`, transport.base);
  try {
    const response = await transport.request({ method: 'GET', url });
    await response.body.discard();
    return challengesOf(response, url);
  } catch (error) {
    // The error that led here is reported instead.
    if (isOciError(error)) return [];
    throw error;
  }
}
