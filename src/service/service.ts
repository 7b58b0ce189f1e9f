/**
 * The registry service: resolves a reference to endpoints, trust and credentials, and opens it as a registry. Commands go
 * through it and never build a URL, read a credential or touch TLS themselves.
 */
import { indexName } from '../config/index-name.ts';
import type { Settings } from '../config/settings.ts';
import type { Credential } from '../credentials/credential.ts';
import { createCredentialLookup } from '../credentials/lookup.ts';
import type { APIEndpoint } from '../endpoints/endpoint.ts';
import type { Resolve } from '../endpoints/host-match.ts';
import { type EndpointOptions, lookupPullEndpoints, lookupPushEndpoints, matchInsecure } from '../endpoints/lookup.ts';
import { familiarName, type Reference, type RepositoryName } from '../model/reference.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { fallback } from '../registry/wrappers/fallback.ts';
import type { FallbackEndpoint, FallbackEvent } from '../registry/wrappers/fallback-endpoints.ts';
import type { Transport } from '../transport/transport.ts';
import type { Connect } from './answering.ts';
import type { AuthResult } from './auth.ts';
import { connectEndpoint, type EndpointRegistryOptions, openEndpoint } from './endpoint-registry.ts';
import type { SearchOptions, SearchResults } from './search.ts';
import {
  describeConfig,
  type IndexInfo,
  readServiceOptions,
  type ServiceConfig,
  type ServiceOptions,
} from './service-config.ts';
import { formatTrace } from './trace.ts';

/** A repository as the service sees it. */
export interface RepositoryInfo {
  readonly name: { readonly domain: string; readonly path: RepositoryName };
  readonly index: IndexInfo;
  /** Whether it is one of Docker's own images: its familiar name has no slash. */
  readonly official: boolean;
}

export interface RegistryService {
  resolveRepository(reference: Pick<Reference, 'domain' | 'path'>): Promise<RepositoryInfo>;
  /** In the order in which they are asked. @throws OciError CONFIG_INVALID for certificates that cannot be used. */
  lookupPullEndpoints(host: string): Promise<readonly APIEndpoint[]>;
  /** The same without mirrors. @throws OciError CONFIG_INVALID */
  lookupPushEndpoints(host: string): Promise<readonly APIEndpoint[]>;
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
   *
   * @throws OciError CONFIG_INVALID
   */
  open(reference: Pick<Reference, 'domain' | 'path'>, intent: 'pull' | 'push'): Promise<Registry>;
  /**
   * Checks a credential at a registry's push endpoints, never at a mirror; nothing is stored. Where the endpoint over TLS
   * has answered, plain http is not tried.
   *
   * @param server `host[:port]`, a URL of one, or any name of Docker Hub.
   * @throws OciError UNAUTHORIZED and DENIED when it is refused; USAGE for what is no server; CONFIG_INVALID.
   */
  auth(server: string, credential: Credential, opts?: SignalOption): Promise<AuthResult>;
  /**
   * Searches Docker Hub, or the registry that the term begins with (`host/term`).
   *
   * @throws OciError USAGE for a term, filter or limit; UNSUPPORTED where a registry can neither be searched nor listed.
   */
  search(term: string, opts?: SearchOptions): Promise<SearchResults>;
  /** Cuts the connections of every registry that was opened. */
  close(): Promise<void>;
}

export interface RegistryServiceOptions {
  readonly settings: Settings;
  /** Told what the user should know: once about each thing that was skipped, and what registries warn of. */
  readonly warn: (text: string) => void;
  /** One line for each request, without secrets. */
  readonly trace?: ((line: string) => void) | undefined;
  /** Told when the next endpoint is asked because of an error. */
  readonly onFallback?: ((event: FallbackEvent) => void) | undefined;
  readonly userAgent: string;
  /** Stands in for Docker Hub's own address. */
  readonly defaultRegistry?: string | undefined;
  /** Stands in for the address of Docker Hub's search. */
  readonly defaultSearchIndex?: string | undefined;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve | undefined;
  readonly helperTimeoutMs?: number | undefined;
}

/** Opens no connection and starts no helper before they are needed. */
export function createRegistryService(options: RegistryServiceOptions): RegistryService {
  return new Service(options);
}

class Service implements RegistryService {
  #settings: Settings;
  readonly #options: RegistryServiceOptions;
  readonly #endpoint: EndpointRegistryOptions;
  readonly #warned = new Set<string>();
  readonly #transports = new Set<Transport>();

  constructor(options: RegistryServiceOptions) {
    const { settings, trace, userAgent, helperTimeoutMs } = options;
    this.#settings = settings;
    this.#options = options;
    this.#endpoint = {
      credentials: createCredentialLookup({
        dockerConfig: settings.dockerConfig,
        dockerAuthConfig: settings.dockerAuthConfig,
        env: settings.surroundings.env,
        warn: this.#warn,
        helperTimeoutMs,
      }),
      httpHeaders: settings.dockerConfig.httpHeaders,
      userAgent,
      attempts: settings.maxDownloadAttempts.value,
      warn: this.#warn,
      trace: trace && ((event) => trace(formatTrace(event))),
    };
    for (const text of settings.warnings) this.#warn(text);
  }

  async resolveRepository({ domain, path }: Pick<Reference, 'domain' | 'path'>): Promise<RepositoryInfo> {
    const known = this.serviceConfig().indexConfigs;
    const index = Object.hasOwn(known, domain) ? known[domain] : undefined;
    return {
      name: { domain, path },
      index: index ?? { name: domain, mirrors: [], secure: !(await this.isInsecureRegistry(domain)), official: false },
      official: !familiarName({ domain, path }).includes('/'),
    };
  }

  lookupPullEndpoints(host: string): Promise<readonly APIEndpoint[]> {
    return lookupPullEndpoints(host, this.#endpointOptions());
  }

  lookupPushEndpoints(host: string): Promise<readonly APIEndpoint[]> {
    return lookupPushEndpoints(host, this.#endpointOptions());
  }

  async isInsecureRegistry(host: string): Promise<boolean> {
    return (await matchInsecure(host, this.#endpointOptions())) !== undefined;
  }

  serviceConfig(): ServiceConfig {
    return describeConfig(this.#settings);
  }

  replaceConfig(options: ServiceOptions): () => void {
    const replaced = readServiceOptions(options, this.#warn);
    return () => {
      this.#settings = { ...this.#settings, ...replaced };
    };
  }

  async open({ domain }: Pick<Reference, 'domain' | 'path'>, intent: 'pull' | 'push'): Promise<Registry> {
    return this.#open(await (intent === 'pull' ? this.lookupPullEndpoints(domain) : this.lookupPushEndpoints(domain)));
  }

  async auth(server: string, credential: Credential, opts: SignalOption = {}): Promise<AuthResult> {
    const [{ parseLoginServer }, { askFirstAnswering }, { verifyCredential }] = await Promise.all([
      import('./auth-server.ts'),
      import('./answering.ts'),
      import('./auth.ts'),
    ]);
    const { host } = parseLoginServer(server);
    return askFirstAnswering(await this.lookupPushEndpoints(host), this.#connect, ({ transport }) =>
      verifyCredential(transport, credential, { registry: host, signal: opts.signal }),
    );
  }

  async search(term: string, opts: SearchOptions = {}): Promise<SearchResults> {
    const [{ splitSearchTerm }, { defaultSearchIndex, searchRegistry }] = await Promise.all([
      import('./search-term.ts'),
      import('./search.ts'),
    ]);
    const split = splitSearchTerm(term);
    const endpoints = await this.lookupPushEndpoints(split.index);
    const url = new URL(this.#options.defaultSearchIndex ?? defaultSearchIndex);
    const isHub = split.index === indexName;
    const searched = {
      ...split,
      endpoints: isHub ? endpoints.map((endpoint) => ({ ...endpoint, url })) : endpoints,
      connect: this.#connect,
      catalog: isHub ? undefined : async () => this.#open(endpoints),
    };
    return searchRegistry(searched, opts);
  }

  async close(): Promise<void> {
    const transports = [...this.#transports];
    this.#transports.clear();
    await Promise.all(transports.map((transport) => transport.close()));
  }

  readonly #connect: Connect = (endpoint, onAnswer) => {
    const connection = connectEndpoint(endpoint, this.#telling(onAnswer));
    this.#transports.add(connection.transport);
    return connection;
  };

  #open(endpoints: readonly APIEndpoint[]): Registry {
    return fallback(
      endpoints.map((endpoint) => this.#asFallback(endpoint)),
      { onFallback: this.#tellFallback },
    );
  }

  /** The options of an endpoint that tells of every answer it gets. */
  #telling(onAnswer: () => void): EndpointRegistryOptions {
    const { trace } = this.#endpoint;
    return {
      ...this.#endpoint,
      trace: (event) => {
        if (event.status !== undefined) onAnswer();
        trace?.(event);
      },
    };
  }

  #asFallback(endpoint: APIEndpoint): FallbackEndpoint {
    const { url, mirror, insecure, official } = endpoint;
    const twin = url.protocol === 'http:' && insecure !== undefined && !mirror;
    // As it was written: a URL drops the port that is its scheme's own, and the twins would not know each other.
    const host = official ? url.host : endpoint.credentialHost;
    return {
      // Only the plain twin needs its scheme: everything else is the one endpoint of its host.
      name: twin ? plainName(host) : host,
      kind: mirror ? 'mirror' : 'origin',
      open: async (answered) => {
        const { registry, transport } = openEndpoint(endpoint, this.#telling(answered));
        this.#transports.add(transport);
        return registry;
      },
      ...(twin && { twinOf: host }),
    };
  }

  #endpointOptions(): EndpointOptions {
    const { resolve, defaultRegistry } = this.#options;
    return { settings: this.#settings, warn: this.#warn, resolve, defaultRegistry };
  }

  // That an insecure registry speaks plain http is how it was set up, not a failure to tell of.
  readonly #tellFallback = (event: FallbackEvent): void => {
    const { trace, onFallback } = this.#options;
    if (event.to === plainName(event.from)) trace?.(`${event.from}: ${event.error.message}, trying ${event.to}`);
    else onFallback?.(event);
  };

  // Certificates are read, and registries warn, again and again; the user reads it once.
  readonly #warn = (text: string): void => {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#options.warn(text);
  };
}

/** How the plain http side of a host is shown. */
function plainName(host: string): string {
  return `http://${host}`;
}
