/** What the registry service offers, and what it is made of. */
import type { Settings } from '../config/settings.ts';
import type { Credential } from '../credentials/credential.ts';
import type { APIEndpoint } from '../endpoints/endpoint.ts';
import type { Resolve } from '../endpoints/host-match.ts';
import type { Reference, RepositoryName } from '../model/reference/reference.ts';
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

export interface RegistryService {
  resolveRepository(reference: Pick<Reference, 'domain' | 'path'>): Promise<RepositoryInfo>;
  /**
   * In the order in which they are asked.
   *
   * @param path For configuration about some of a registry's repositories; absent: that about all of it counts.
   * @throws OciError DENIED for what is blocked; CONFIG_INVALID for certificates that cannot be used.
   */
  lookupPullEndpoints(host: string, path?: RepositoryName): Promise<readonly APIEndpoint[]>;
  /** The same without mirrors that only give. @throws OciError DENIED, CONFIG_INVALID */
  lookupPushEndpoints(host: string, path?: RepositoryName): Promise<readonly APIEndpoint[]>;
  /** Whether a host may be spoken to without a valid certificate, and in plain http. */
  isInsecureRegistry(host: string): Promise<boolean>;
  serviceConfig(): ServiceConfig;
  /**
   * Checks a new configuration whole.
   *
   * @returns The commit: calling it makes the configuration count. Registries that are open keep the one they had.
   * @throws OciError CONFIG_INVALID; the present configuration then stays.
   */
  replaceConfig(options: ServiceOptions): () => void;
  /**
   * The registry that a reference lives in, behind its endpoints in order. No request is made before the first call.
   * An endpoint that could not be reached is left aside by those that are opened later, too, while there is another.
   *
   * @throws OciError DENIED for what is blocked; CONFIG_INVALID
   */
  open(reference: Pick<Reference, 'domain' | 'path'>, intent: 'pull' | 'push'): Promise<Registry>;
  /**
   * The registry of a host, for its list of repositories. No mirror is asked: its list is its own.
   *
   * @param server `host[:port]`, a URL of one, or any name of Docker Hub.
   * @throws OciError USAGE for what is no host; DENIED for what is blocked; CONFIG_INVALID
   */
  openHost(server: string): Promise<Registry>;
  /**
   * Checks a credential at a registry's push endpoints, never at a mirror; nothing is stored. Where the endpoint over TLS
   * has answered, plain http is not tried.
   *
   * @param server `host[:port]`, a URL of one, or any name of Docker Hub.
   * @throws OciError UNAUTHORIZED and DENIED when it is refused; USAGE for what is no server; CONFIG_INVALID.
   */
  auth(server: string, credential: Credential, opts?: SignalOption): Promise<AuthResult>;
  /**
   * Gets a token of a repository's registry, never of a mirror, with the credentials that it would be asked with.
   *
   * @throws OciError UNSUPPORTED where the registry works without tokens; UNAUTHORIZED, DENIED.
   */
  token(
    reference: Pick<Reference, 'domain' | 'path'>,
    scopes: readonly string[],
    opts?: SignalOption,
  ): Promise<BearerToken>;
  /**
   * Searches Docker Hub, or the registry that the term begins with (`host/term`).
   *
   * @throws OciError USAGE for a term, filter or limit; UNSUPPORTED where a registry can neither be searched nor listed.
   */
  search(term: string, opts?: SearchOptions): Promise<SearchResults>;
  /** Looks at every step from a reference to its registry, as {@link open} for a pull would take it. Changes nothing. */
  diagnose(reference: Reference, opts?: SignalOption): AsyncIterable<Check>;
  /** Cuts the connections of every registry that was opened. */
  close(): Promise<void>;
}

export interface RegistryServiceOptions {
  readonly settings: Settings;
  /** Told what the user should know: once about each thing that was skipped, and what registries warn of. */
  readonly warn: (text: string) => void;
  /** One line for each request, without secrets. */
  readonly trace?: ((line: string) => void) | undefined;
  /** Whether `trace` is told headers too, without what is secret in them. Default false. */
  readonly traceHeaders?: boolean | undefined;
  /** Told when the next endpoint is asked because of an error. */
  readonly onFallback?: ((event: FallbackEvent) => void) | undefined;
  /** Told when a registry has been silent or out of reach for a while, and what is waited for. */
  readonly onSilence?: ((text: string) => void) | undefined;
  readonly userAgent: string;
  /** Stands in for Docker Hub's own address. */
  readonly defaultRegistry?: string | undefined;
  /** Stands in for the address of Docker Hub's search. */
  readonly defaultSearchIndex?: string | undefined;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve | undefined;
  readonly helperTimeoutMs?: number | undefined;
  /** Credentials for the registries instead of stored ones, not for their mirrors; `anonymous`: none, for mirrors too. */
  readonly identity?: Identity | undefined;
  /** How long registries may be silent, and how much they may say; each has a default. */
  readonly limits?: TransportLimits | undefined;
  /** The waits between attempts; how many there are is a setting, `maxDownloadAttempts`. */
  readonly retry?: Omit<RetryPolicy, 'attempts'> | undefined;
}
