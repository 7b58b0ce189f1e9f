/** What one host's TLS needs beyond the defaults. All PEM. An empty object is Node's own trust. */
export interface TlsSettings {
  /** The complete list of trusted roots; absent: Node's own. */
  readonly ca?: readonly string[];
  /** The client certificate with its chain. */
  readonly cert?: string;
  readonly key?: string;
  /** False: any certificate will do, because the host was named insecure. */
  readonly verify?: boolean;
}
