import type { TlsSettings } from '../certs/tls-settings.ts';
import type { HostMatch } from './host-match.ts';

/** One address at which a registry's API is asked. */
export interface APIEndpoint {
  /** Whether it stands in for Docker Hub. */
  readonly mirror: boolean;
  /** The API's `/v2/` follows its path, which ends in a slash. */
  readonly url: URL;
  /** Whether it is Docker Hub itself. */
  readonly official: boolean;
  /** Whether repositories are asked for without their domain; true for every endpoint there is. */
  readonly trimHostname: boolean;
  /** Whether foreign layers may be pushed here. */
  readonly allowNondistributableArtifacts: boolean;
  readonly tls: TlsSettings;
  /** What it is called in messages, and where its credentials are kept: `docker.io`, `host[:port]`, a mirror’s own host. */
  readonly credentialHost: string;
  /** Why its certificate need not be valid and plain http may follow; absent for secure hosts. */
  readonly insecure?: HostMatch;
}
