/** Credentials for the destinations of a copy: `USER:PASSWORD`, or `HOST=USER:PASSWORD` where hosts differ. */

import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { parseReference } from '../../model/reference/reference.ts';
import { isReference } from '../../places/places.ts';

const hostForm = /^(\[[0-9a-f:.]+\](?::\d+)?|[^=:]+(?::\d+)?)=(.*)$/is;

/**
 * The credentials for each destination. No message contains them.
 *
 * @param given The values of `--dest-creds`.
 * @param words The destinations.
 * @throws OciError USAGE if it is not clear which host they are for.
 */
export function destinationCreds(
  given: readonly string[],
  words: readonly string[],
): (word: string) => string | undefined {
  const hosts = new Set(words.flatMap((word) => hostOf(word) ?? []));
  const byHost = new Map<string, string>();
  for (const value of given) {
    const [, host = '', account = ''] = hostForm.exec(value) ?? [];
    if (hosts.has(host)) byHost.set(host, account);
    else if (looksLikeHost(host)) {
      throw new OciError('USAGE', `--dest-creds names ${quote(host)}, which is the host of no destination`, {
        hint: `the destinations are at ${[...hosts].join(', ') || 'no registry'}`,
      });
    } else if (hosts.size > 1) {
      throw new OciError('USAGE', 'it is not clear which host the --dest-creds are for', {
        hint: `write HOST=USER:PASSWORD; the destinations are at ${[...hosts].join(', ')}`,
      });
    } else for (const only of hosts) byHost.set(only, value);
  }
  return (word) => byHost.get(hostOf(word) ?? '');
}

function looksLikeHost(host: string): boolean {
  return host.startsWith('[') || /[.:]/.test(host) || host === 'localhost';
}

/** The host of a reference; undefined for a place of another kind, and for what is no reference. */
export function hostOf(word: string): string | undefined {
  if (!isReference(word)) return undefined;
  try {
    return parseReference(word).domain;
  } catch {
    // Opening it will say what is wrong.
    return undefined;
  }
}
