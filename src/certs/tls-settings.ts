/** What one host's TLS needs beyond the defaults. All PEM. An empty object is Node's own trust. */
export interface TlsSettings {
  /** Authorities of this host, trusted besides Node's own. */
  readonly ca?: readonly string[];
  /**
   * Reads what else this machine trusts. Asked only when Node's own roots and {@link ca} do not know an authority: reading
   * and parsing it takes longer than a handshake.
   */
  readonly systemRoots?: () => Promise<readonly string[]>;
  /** The client certificate with its chain. */
  readonly cert?: string;
  readonly key?: string;
  /** False: any certificate will do, because the host was named insecure. */
  readonly verify?: boolean;
  /** The host's own directory of certificates, which need not be there: for hints. */
  readonly directory?: string;
}
