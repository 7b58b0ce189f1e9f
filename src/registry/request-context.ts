/**
 * A request that a server answers from a registry: who does what, for events and audit logs.
 *
 * @see https://distribution.github.io/distribution/about/notifications/#events
 */
export interface RequestContext {
  /**
   * Connects everything that is logged about the request: the `X-Request-Id` of a trusted proxy, otherwise random. The
   * client gets it in the same header.
   */
  readonly id: string;
  /** Undefined for anonymous requests, and if the server has no authentication. */
  readonly user: string | undefined;
  /** Address of the client, also if a trusted proxy is in between. */
  readonly remoteAddress: string;
  /** Of the request. */
  readonly method: string;
  /** The `Host` header as received, or the host that a trusted proxy reported. */
  readonly host: string | undefined;
  /** The `User-Agent` header as received: untrusted text. */
  readonly userAgent: string | undefined;
}
