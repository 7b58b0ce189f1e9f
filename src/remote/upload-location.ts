import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { endpointOf } from '../transport/redact.ts';

/**
 * Where an upload goes on, or another write that is redirected. It may be another host, which then learns nothing about
 * who we are; that it is inside our network, the transport finds out when it connects.
 *
 * @param doing What the registry does, for the error.
 * @throws OciError PROTOCOL for what is no http(s) URL, holds a user, or leaves https.
 */
export function uploadLocation(location: string, from: URL, doing = 'sends an upload'): URL {
  const refuse = (why: string): OciError =>
    new OciError('PROTOCOL', `${from.host} ${doing} to ${why}: refused`, { endpoint: endpointOf(from) });
  if (!URL.canParse(location, from.href)) throw refuse('something that is no URL');
  const url = new URL(location, from);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('another protocol than http');
  if (url.username !== '' || url.password !== '') throw refuse('a URL with a user name in it');
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    // Registries behind a proxy that ends TLS write http:// and mean the way we came (distribution#2225).
    if (url.hostname !== from.hostname) throw refuse(`plain http (${url.host})`);
    url.protocol = 'https:';
    url.port = from.port;
  }
  url.hash = '';
  return url;
}

/** Adds the digest, and leaves the rest of the query as it was written. */
export function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location);
  url.search = `${location.search === '' ? '?' : `${location.search}&`}digest=${encodeURIComponent(digest)}`;
  return url;
}

/**
 * Names of sessions for callers. The name holds the repository, since a Location need not, and the place; a place that
 * is left behind keeps leading to the next one, as distribution's carry the offset.
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

  /** Notes that a session that was named before is at another place now. */
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

  /** The place of a session, or undefined for a name that is none of this repository's. */
  find(repo: RepositoryName, name: string): URL | undefined {
    const place = name.startsWith(`${repo}@`) ? name.slice(repo.length + 1) : undefined;
    if (place === undefined || !/^(?:\/|https?:\/\/)/.test(place) || !URL.canParse(place, this.#base.href)) {
      return undefined;
    }
    return this.#current.get(name) ?? new URL(place, this.#base);
  }
}

const maxRemembered = 1000;
