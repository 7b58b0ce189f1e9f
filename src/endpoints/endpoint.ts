import type { TlsSettings } from '../certs/tls-settings.ts';
import type { Origin } from '../config/origin.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { HostMatch } from './host-match.ts';

/** One address of a registry's API. */
export interface APIEndpoint {
  /** Whether it is a mirror of the registry in the reference. */
  readonly mirror: boolean;
  /** The API is at `v2/` below its path, which ends with a slash, unless {@link overridePath} is set. */
  readonly url: URL;
  /** Whether it is Docker Hub itself. */
  readonly official: boolean;
  /** Whether requests contain repository names without the domain; true for all endpoints. */
  readonly trimHostname: boolean;
  /** Whether foreign layers may be pushed here. */
  readonly allowNondistributableArtifacts: boolean;
  /** How the server's certificate is checked, and which one is sent. */
  readonly tls: TlsSettings;
  /** Its name in messages and for credentials: `docker.io`, `host[:port]`, or the host of a mirror. */
  readonly credentialHost: string;
  /** Where it was configured; absent if it follows from the name. */
  readonly origin?: Origin;
  /** Why its certificate may be invalid and plain http may be tried; absent for secure hosts. */
  readonly insecure?: HostMatch;
  /** Whether it is the plain http alternative to the preceding endpoint, used if that one does not answer. */
  readonly plainTwin?: boolean;
  /** Maps a repository to its name here; absent: the same name. */
  readonly rename?: (outer: RepositoryName) => RepositoryName;
  /** The inverse mapping; undefined for a repository that has no name with us. */
  readonly nameBack?: (inner: RepositoryName) => RepositoryName | undefined;
  /** The references that it is used for; absent: all. */
  readonly references?: 'digests' | 'tags';
  /** Whether the API is at the path of the URL itself. */
  readonly overridePath?: boolean;
  /** The value of the query `ns=`: the registry that a proxy for several should use. */
  readonly namespace?: string;
  /** Sent to this endpoint only. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until a connection must stand; absent: the service's limit. */
  readonly connectTimeoutMs?: number;
}
