/** What the registry service offers, and what it is made of. */
import type { AuthProvider } from '../auth/auth-provider.ts';
import type { Settings } from '../config/settings.ts';
import type { Credential } from '../credentials/credential.ts';
import type { APIEndpoint } from '../endpoints/endpoint.ts';
import type { Resolve } from '../endpoints/host-match.ts';
import type { Waiting } from '../model/events.ts';
import type { Reference, RepositoryName } from '../model/reference/reference.ts';
import type { Intent } from '../registry/intent.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import type { FallbackEvent } from '../registry/wrappers/fallback/attempts.ts';
import type { TransportLimits } from '../transport/origins.ts';
import type { RetryPolicy } from '../transport/retry/retry.ts';
import type { Check } from './doctor/check.ts';
import type { BearerToken } from './logins/token.ts';
import type { AuthResult } from './logins/verify.ts';
import type { Identity } from './open/endpoint-registry.ts';
import type { RepositoryInfo } from './repository-info.ts';
import type { SearchOptions, SearchResults } from './search/search.ts';
import type { ServiceConfig, ServiceOptions } from './service-config.ts';

/** Finds the registry behind a name by Docker's rules: mirrors, certificates, proxies, credentials. */
export interface RegistryService {
  /** What is configured for a repository. No request is made. */
  resolveRepository(reference: Pick<Reference, 'domain' | 'path'>): Promise<RepositoryInfo>;
  /**
   * The endpoints in the order in which they are asked.
   *
   * @param path Selects configuration that is for some of a registry's repositories; if absent, only configuration for
   * the whole registry is used.
   * @throws OciError DENIED for a blocked registry; CONFIG_INVALID for certificates that cannot be used.
   */
  lookupPullEndpoints(host: string, path?: RepositoryName): Promise<readonly APIEndpoint[]>;
  /** The same, without mirrors that only serve pulls. @throws OciError DENIED, CONFIG_INVALID */
  lookupPushEndpoints(host: string, path?: RepositoryName): Promise<readonly APIEndpoint[]>;
  /** Whether a host may be used without a valid certificate, and in plain http. */
  isInsecureRegistry(host: string): Promise<boolean>;
  /** The configuration that is in effect, in the shape of Docker's. */
  serviceConfig(): ServiceConfig;
  /**
   * Checks a new configuration completely.
   *
   * @returns The commit: calling it puts the configuration into effect. Registries that are already open keep their
   * earlier configuration.
   * @throws OciError CONFIG_INVALID; the present configuration then stays in effect.
   */
  replaceConfig(options: ServiceOptions): () => void;
  /**
   * The registry that a reference belongs to, behind its endpoints in order. No request is made before the first call.
   * While there are others, an endpoint that could not be reached is also skipped by registries that are opened later.
   *
   * @throws OciError DENIED for a blocked registry; CONFIG_INVALID
   */
  open(reference: Pick<Reference, 'domain' | 'path'>, intent: Intent): Promise<Registry>;
  /**
   * The registry of a host, for its list of repositories. Mirrors are not asked, since each has its own list.
   *
   * @param server `host[:port]`, a URL of one, or any name of Docker Hub.
   * @throws OciError USAGE for an invalid host; DENIED for a blocked registry; CONFIG_INVALID
   */
  openHost(server: string): Promise<Registry>;
  /**
   * Checks a credential at a registry's push endpoints, never at a mirror. It stores nothing. Once the endpoint over
   * TLS has answered, plain http is not tried.
   *
   * @param server `host[:port]`, a URL of one, or any name of Docker Hub.
   * @throws OciError UNAUTHORIZED and DENIED when it is refused; USAGE for an invalid server; CONFIG_INVALID.
   */
  auth(server: string, credential: Credential, opts?: SignalOption): Promise<AuthResult>;
  /**
   * Gets a token from a repository's registry, never from a mirror, with the credentials that a request to the
   * repository would use.
   *
   * @throws OciError UNSUPPORTED if the registry works without tokens; UNAUTHORIZED, DENIED.
   */
  token(
    reference: Pick<Reference, 'domain' | 'path'>,
    scopes: readonly string[],
    opts?: SignalOption,
  ): Promise<BearerToken>;
  /**
   * Searches Docker Hub, or the registry that the term begins with (`host/term`).
   *
   * @throws OciError USAGE for an invalid term, filter or limit; UNSUPPORTED for a registry with neither search nor list.
   */
  search(term: string, opts?: SearchOptions): Promise<SearchResults>;
  /** Checks every step from a reference to its registry, as {@link open} would take it for a pull. Changes nothing. */
  diagnose(reference: Reference, opts?: SignalOption): AsyncIterable<Check>;
  /** Closes the connections of every registry that was opened. */
  close(): Promise<void>;
}

/** What a registry service is made with. Everything but the settings has a default. */
export interface RegistryServiceOptions {
  /** Mirrors, certificates, credentials and limits: see {@link loadSettings}. */
  readonly settings: Settings;
  /**
   * Credentials for the registries and their mirrors, in place of config.json, its helpers and the other files that hold some.
   * It is asked for `host[:port]/repository`, and for a mirror by the mirror's own name. Default: what those files have.
   */
  readonly credentials?: AuthProvider | undefined;
  /** Called with what the user should know: once about each thing that was skipped, and with the warnings of registries. Default: none. */
  readonly warn?: ((text: string) => void) | undefined;
  /** Called with one line for each request, without secrets. */
  readonly trace?: ((line: string) => void) | undefined;
  /** Whether `trace` also gets the headers, with secrets removed. Default false. */
  readonly traceHeaders?: boolean | undefined;
  /** Called when the next endpoint is asked because of an error. */
  readonly onFallback?: ((event: FallbackEvent) => void) | undefined;
  /**
   * Called when a request has to wait: the registry, or its token server, has been silent or unreachable for a while, asks
   * to wait, or has answered with errors. Waits for a blob are told to the `onWait` of its transfer instead.
   */
  readonly onWait?: ((wait: Waiting) => void) | undefined;
  /** The `User-Agent` header. Default: `ocictl/VERSION`. */
  readonly userAgent?: string | undefined;
  /**
   * Where what was learned of hosts is kept for later services, without secrets: which challenge a host sends, what it can do.
   * With it, a login is shown with the first request to a host that has asked for it before, over verified TLS only. Also where
   * unfinished uploads of large blobs are, in files of this user alone: the next push goes on with them if this process is
   * killed. The directory is made. Default: none, and nothing is kept.
   */
  readonly cacheDirectory?: string | undefined;
  /**
   * Where tokens are kept for their lifetime. It exists, is in memory, and is this user's alone (mode 0700), as `$XDG_RUNTIME_DIR` is;
   * otherwise it is not used. Default: none, and tokens end with the service.
   */
  readonly tokenDirectory?: string | undefined;
  /** Replaces Docker Hub's own address. */
  readonly defaultRegistry?: string | undefined;
  /** Replaces the address of Docker Hub's search. */
  readonly defaultSearchIndex?: string | undefined;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** How long a credential helper may take, in milliseconds. Default 30 000. */
  readonly helperTimeoutMs?: number | undefined;
  /** Credentials for registries, but not their mirrors, in place of stored ones; `anonymous`: none, for mirrors too. */
  readonly identity?: Identity | undefined;
  /** How long registries may be silent, and how much they may send; each limit has a default. */
  readonly limits?: TransportLimits | undefined;
  /** The waits between attempts. The number of attempts is a setting, `maxDownloadAttempts`. */
  readonly retry?: Omit<RetryPolicy, 'attempts'> | undefined;
}
