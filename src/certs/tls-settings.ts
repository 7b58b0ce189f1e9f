/** TLS settings of one host, in PEM. An empty object means Node's defaults. */
export interface TlsSettings {
  /** Authorities of this host, trusted in addition to Node's own. */
  readonly ca?: readonly string[];
  /**
   * Reads the other roots that this machine trusts. Called only if Node's own roots and {@link ca} do not include an
   * authority: reading and parsing them takes longer than a handshake.
   */
  readonly systemRoots?: () => Promise<readonly string[]>;
  /** The client certificate with its chain. */
  readonly cert?: string;
  /** The key of the client certificate. PEM. */
  readonly key?: string;
  /** False: any certificate is accepted, because the host was configured as insecure. */
  readonly verify?: boolean;
  /** The host's own certificate directory, which need not exist: for hints. */
  readonly directory?: string;
}
