import type { TlsSettings } from '../certs/tls-settings.ts';
import type { Origin } from '../config/origin.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { HostMatch } from './host-match.ts';

/** One address at which a registry's API is asked. */
export interface APIEndpoint {
  /** Whether it stands in for the registry that was named. */
  readonly mirror: boolean;
  /** The API's `/v2/` follows its path, which ends in a slash, unless {@link overridePath}. */
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
  /** Where it was set; absent where it follows from the name alone. */
  readonly origin?: Origin;
  /** Why its certificate need not be valid and plain http may follow; absent for secure hosts. */
  readonly insecure?: HostMatch;
  /** Whether it is the plain http behind the endpoint before it, for when nobody answers there. */
  readonly plainTwin?: boolean;
  /** What a repository is called here; absent: as everywhere. */
  readonly rename?: (outer: RepositoryName) => RepositoryName;
  /** The other way round; undefined for what has no name with us. */
  readonly nameBack?: (inner: RepositoryName) => RepositoryName | undefined;
  /** Which references it is asked for; absent: all. */
  readonly references?: 'digests' | 'tags';
  /** The API is at the path of the URL itself. */
  readonly overridePath?: boolean;
  /** Told in the query `ns=`: the registry that a proxy of many is to ask. */
  readonly namespace?: string;
  /** Sent here alone. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly connectTimeoutMs?: number;
}
