import type { HostRecord } from '../host-facts/host-facts.ts';
import type { Challenge } from '../model/challenge.ts';
import { isOciError } from '../model/errors.ts';
import { formatChallenge, parseChallenges } from '../wire/challenges.ts';
import type { ChallengeCache } from './challenge-cache.ts';
import { checkedRealm } from './realm.ts';

/**
 * The challenges that are kept with what was learned of a host. They are read as if they had just been sent, and whatever is done
 * with them is checked as always.
 */
export function keptChallenges(record: HostRecord): ChallengeCache {
  return {
    async get(endpoint) {
      const texts = record.known.challenges?.[new URL(endpoint).pathname];
      return texts && parseChallenges(texts);
    },
    async set(endpoint, challenges) {
      const url = new URL(endpoint);
      const { [url.pathname]: _before, ...others } = record.known.challenges ?? {};
      const texts = textsOf(challenges, url);
      record.learn({ challenges: { ...others, ...(texts.length > 0 && { [url.pathname]: texts }) } });
    },
  };
}

/** The challenges as text; none if they cannot all be kept: without one of them, another would be answered in its place. */
function textsOf(challenges: readonly Challenge[], endpoint: URL): readonly string[] {
  const known = challenges.filter(({ scheme }) => scheme === 'basic' || scheme === 'bearer');
  if (!known.every((challenge) => challenge.scheme === 'basic' || isKeepable(challenge, endpoint))) return [];
  return known.map(({ scheme, parameters: { realm = '', service } }) =>
    scheme === 'basic'
      ? formatChallenge({ scheme, parameters: {} })
      : formatChallenge({ scheme, parameters: { realm, ...(service !== undefined && { service }) } }),
  );
}

// A query may hold a secret.
function isKeepable({ parameters: { realm = '' } }: Challenge, endpoint: URL): boolean {
  try {
    return checkedRealm(realm, endpoint).search === '';
  } catch (error) {
    if (!isOciError(error)) throw error;
    return false;
  }
}
