import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { endpointOf } from '../../transport/redact.ts';

/**
 * The target of an upload's Location, or of a redirected write. It may be another host, which gets no credentials. The
 * transport refuses addresses inside our network when it connects.
 *
 * @param doing What the registry does, for the error.
 * @throws OciError PROTOCOL if it is not an http(s) URL, contains a user, or changes from https to http.
 */
export function uploadLocation(location: string, from: URL, doing = 'sends an upload'): URL {
  const refuse = (why: string): OciError =>
    new OciError('PROTOCOL', `${from.host} ${doing} to ${why}: refused`, { endpoint: endpointOf(from) });
  if (!URL.canParse(location, from.href)) throw refuse('an invalid URL');
  const url = new URL(location, from);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('another protocol than http');
  if (url.username !== '' || url.password !== '') throw refuse('a URL with a user name');
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    // Behind a proxy that terminates TLS, registries send http:// and mean the same address (distribution#2225).
    if (url.hostname !== from.hostname) throw refuse(`plain http (${url.host})`);
    url.protocol = 'https:';
    url.port = from.port;
  }
  url.hash = '';
  return url;
}

/** Adds the digest to the query. The rest of the query is unchanged. */
export function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location);
  url.search = `${location.search === '' ? '?' : `${location.search}&`}digest=${encodeURIComponent(digest)}`;
  return url;
}

/**
 * IDs of sessions for callers: repository and location, because a Location need not contain the repository.
 * distribution's Locations change with the offset, so an old ID is mapped to the current location.
 */
export class SessionNames {
  readonly #base: URL;
  readonly #current = new Map<string, URL>();

  constructor(base: URL) {
    this.#base = base;
  }

  name(repo: RepositoryName, location: URL): string {
    const place = location.origin === this.#base.origin ? location.pathname + location.search : location.href;
    return `${repo}@${place}`;
  }

  /** Records the new location of a session for all its IDs. */
  moved(names: Iterable<string>, location: URL): void {
    for (const name of names) {
      this.#current.delete(name);
      this.#current.set(name, location);
    }
    for (const oldest of this.#current.keys()) {
      if (this.#current.size <= maxRemembered) break;
      this.#current.delete(oldest);
    }
  }

  forget(names: Iterable<string>): void {
    for (const name of names) this.#current.delete(name);
  }

  /** The location of a session; undefined if the ID is not one of this repository. */
  find(repo: RepositoryName, name: string): URL | undefined {
    const place = name.startsWith(`${repo}@`) ? name.slice(repo.length + 1) : undefined;
    if (place === undefined || !/^(?:\/|https?:\/\/)/.test(place) || !URL.canParse(place, this.#base.href)) {
      return undefined;
    }
    return this.#current.get(name) ?? new URL(place, this.#base);
  }
}

const maxRemembered = 1000;
