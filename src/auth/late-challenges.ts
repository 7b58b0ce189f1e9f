import type { Challenge } from '../model/challenge.ts';
import { isOciError } from '../model/errors.ts';
import { RecentMap } from '../model/recent-map.ts';
import type { Transport } from '../transport/transport.ts';
import { routePath } from '../wire/routes.ts';
import { challengesOf } from './challenges.ts';

const maxEndpoints = 1000;

/**
 * What registries want to see that answer strangers "not found" or "forbidden" and never ask who is there: their `/v2/`
 * says it. Each is asked once, whoever waits for it. None of it is secret: identities may share one.
 */
export class LateChallenges {
  readonly #asked = new RecentMap<string, Promise<readonly Challenge[]>>(maxEndpoints);

  /** What a registry has said; undefined where it has not been asked. */
  known({ base }: Transport): Promise<readonly Challenge[]> | undefined {
    return this.#asked.get(base.href);
  }

  /** Empty: it asks nobody, or does not say how. Ended by no single one's signal; the transport's timeouts do. */
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
    // The answer that led here is the one to tell of.
    if (isOciError(error)) return [];
    throw error;
  }
}
