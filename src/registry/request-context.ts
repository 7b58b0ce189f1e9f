/**
 * A request that a server answers from a registry: what events and audits tell about who did what.
 *
 * @see https://distribution.github.io/distribution/about/notifications/#events
 */
export interface RequestContext {
  /** Random, one for each request: what belongs to one request is found by it. */
  readonly id: string;
  /** Undefined for anonymous requests, and where nobody is asked. */
  readonly user: string | undefined;
  /** That of the client, also behind a proxy that the server trusts. */
  readonly remoteAddress: string;
  readonly method: string;
  /** The `Host` header as it came, or what a trusted proxy had in its place. */
  readonly host: string | undefined;
  /** The `User-Agent` header as it came: text of the client's. */
  readonly userAgent: string | undefined;
}
