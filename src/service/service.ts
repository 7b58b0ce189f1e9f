/**
 * The registry service finds the endpoints, TLS settings and credentials for a reference, and opens it as a registry.
 * Commands go through it and never build a URL, read a credential or touch TLS themselves.
 */

import type { AuthProvider } from '../auth/auth-provider.ts';
import { createTokenCache } from '../auth/token-cache.ts';
import { TokenFiles } from '../auth/token-files.ts';
import { indexName } from '../config/docker/index-name.ts';
import { hostRuleText } from '../config/host-rules.ts';
import { matchRegistryRule } from '../config/registry-rules.ts';
import type { Settings } from '../config/settings.ts';
import type { Credential } from '../credentials/credential.ts';
import type { APIEndpoint } from '../endpoints/endpoint.ts';
import {
  type EndpointOptions,
  lookupPullEndpoints,
  lookupPushEndpoints,
  matchInsecureRegistry,
} from '../endpoints/lookup.ts';
import { createHostFacts } from '../host-facts/host-facts.ts';
import { checkNumbers } from '../model/number-options.ts';
import type { Reference, RepositoryName } from '../model/reference/reference.ts';
import { type ExtensionKey, foreignLayers } from '../registry/extensions.ts';
import type { Intent } from '../registry/intent.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import type { FallbackEvent } from '../registry/wrappers/fallback/attempts.ts';
import type { EndpointState } from '../registry/wrappers/fallback/candidate.ts';
import { fallback } from '../registry/wrappers/fallback/fallback.ts';
import { UploadJournals } from '../remote/upload/journal.ts';
import { checkTransportNumbers } from '../transport/checked-numbers.ts';
import { version } from '../version.ts';
import type { RegistryService, RegistryServiceOptions } from './contract.ts';
import type { Check } from './doctor/check.ts';
import type { BearerToken } from './logins/token.ts';
import type { AuthResult } from './logins/verify.ts';
import type { Connect } from './open/answering.ts';
import { asFallback, plainName } from './open/endpoint-fallback.ts';
import {
  connectEndpoint,
  type EndpointConnection,
  type EndpointRegistryOptions,
  openEndpoint,
} from './open/endpoint-registry.ts';
import { mirrorsOf, type RepositoryInfo, repositoryInfo } from './repository-info.ts';
import type { SearchOptions, SearchResults } from './search/search.ts';
import { describeConfig, readServiceOptions, type ServiceConfig, type ServiceOptions } from './service-config.ts';
import { closeShared, createShared, type Shared } from './shared-connections.ts';
import { storedCredentials } from './stored-credentials.ts';
import { describeWait, traceLines } from './trace.ts';

export type { RegistryService, RegistryServiceOptions };
export { closeShared, createHostFacts, createShared };

/** @param shared Shared with services of other identities; the caller closes its connections. Undefined: one of its own. */
export function createSharedService(options: RegistryServiceOptions, shared: Shared | undefined): RegistryService {
  checkNumbers(options, { helperTimeoutMs: 0 });
  checkTransportNumbers(options);
  return new Service(options, shared);
}

class Service implements RegistryService {
  #settings: Settings;
  readonly #options: RegistryServiceOptions;
  readonly #endpoint: EndpointRegistryOptions;
  readonly #warned = new Set<string>();
  readonly #shared: Shared;
  readonly #ownsShared: boolean;
  readonly #tokens = createTokenCache();
  readonly #tokenFiles: TokenFiles | undefined;

  constructor(options: RegistryServiceOptions, shared: Shared | undefined) {
    const { settings, trace, traceHeaders, onWait, userAgent, identity, limits, retry } = options;
    const { cacheDirectory, tokenDirectory } = options;
    this.#shared = shared ?? createShared(createHostFacts({ directory: cacheDirectory, note: trace }));
    this.#tokenFiles = tokenDirectory ? new TokenFiles({ directory: tokenDirectory, note: trace }) : undefined;
    this.#ownsShared = shared === undefined;
    this.#settings = settings;
    this.#options = options;
    this.#endpoint = {
      credentials: this.#credentials(this.#warn),
      identity,
      uploadJournals: cacheDirectory ? new UploadJournals({ directory: cacheDirectory, note: trace }) : undefined,
      httpHeaders: settings.dockerConfig.httpHeaders,
      userAgent: userAgent ?? `ocictl/${version}`,
      proxy: settings.proxy,
      allowPrivate: settings.allowPrivate.map(hostRuleText),
      retry: { ...retry, attempts: settings.maxDownloadAttempts.value },
      limits,
      warn: this.#warn,
      trace: trace && traceLines(trace, { headers: traceHeaders === true }),
      onWait: onWait && ((wait) => onWait(describeWait(wait))),
    };
    for (const text of settings.warnings) this.#warn(text);
  }

  async resolveRepository({ domain, path }: Pick<Reference, 'domain' | 'path'>): Promise<RepositoryInfo> {
    const { indexConfigs } = this.serviceConfig();
    const index = Object.hasOwn(indexConfigs, domain) ? indexConfigs[domain] : undefined;
    const secure = index?.secure ?? !(await this.isInsecureRegistry(domain));
    const known = index ?? { name: domain, mirrors: [], secure, official: false };
    const rule = matchRegistryRule(this.#settings.registryRules, domain, path);
    return repositoryInfo({ domain, path }, { ...known, mirrors: [...known.mirrors, ...mirrorsOf(rule)] });
  }

  lookupPullEndpoints(host: string, path?: RepositoryName): Promise<readonly APIEndpoint[]> {
    return lookupPullEndpoints(host, this.#endpointOptions(), path);
  }

  lookupPushEndpoints(host: string, path?: RepositoryName): Promise<readonly APIEndpoint[]> {
    return lookupPushEndpoints(host, this.#endpointOptions(), path);
  }

  async isInsecureRegistry(host: string): Promise<boolean> {
    return (await matchInsecureRegistry(host, this.#endpointOptions())) !== undefined;
  }

  serviceConfig(): ServiceConfig {
    return describeConfig(this.#settings);
  }

  replaceConfig(options: ServiceOptions): () => void {
    const replaced = readServiceOptions(options, this.#warn);
    return () => {
      this.#settings = { ...this.#settings, ...replaced };
      this.#shared.states.clear();
    };
  }

  async open({ domain, path }: Pick<Reference, 'domain' | 'path'>, intent: Intent): Promise<Registry> {
    const lookup = intent === 'pull' ? lookupPullEndpoints : lookupPushEndpoints;
    return this.#open(await lookup(domain, this.#endpointOptions(), path), intent, path);
  }

  async openHost(server: string): Promise<Registry> {
    const { parseLoginServer } = await import('./logins/server-name.ts');
    return this.#open(await this.#withoutMirrors(parseLoginServer(server).host), 'pull');
  }

  async auth(server: string, credential: Credential, opts: SignalOption = {}): Promise<AuthResult> {
    const [{ parseLoginServer }, { askFirstAnswering }, { verifyCredential }] = await Promise.all([
      import('./logins/server-name.ts'),
      import('./open/answering.ts'),
      import('./logins/verify.ts'),
    ]);
    const { host } = parseLoginServer(server);
    // Credentials stored for a host are only sent to that host, so check them there.
    const own = (await this.#withoutMirrors(host)).filter(({ credentialHost }) => credentialHost === host);
    const endpoints = own.length > 0 ? own : await this.#atItsName(host);
    return askFirstAnswering(endpoints, this.#connect, ({ transport, remember }) =>
      verifyCredential(transport, credential, { registry: host, onAnswered: remember, signal: opts.signal }),
    );
  }

  async token(
    { domain, path }: Pick<Reference, 'domain' | 'path'>,
    scopes: readonly string[],
    opts?: SignalOption,
  ): Promise<BearerToken> {
    const { requestToken } = await import('./logins/token.ts');
    const connect: Connect = (endpoint, onAnswer) => this.#connect(endpoint, onAnswer, path);
    return requestToken(await this.#withoutMirrors(domain, path), connect, domain, scopes, opts);
  }

  async search(term: string, opts: SearchOptions = {}): Promise<SearchResults> {
    const [{ splitSearchTerm }, { defaultSearchIndex, searchRegistry }] = await Promise.all([
      import('./search/search-term.ts'),
      import('./search/search.ts'),
    ]);
    const split = splitSearchTerm(term);
    const endpoints = this.#safe(await this.lookupPushEndpoints(split.index));
    const url = new URL(this.#options.defaultSearchIndex ?? defaultSearchIndex);
    const isHub = split.index === indexName;
    // Headers and certificates of a rule are for the address that it names, not for the search.
    const index = isHub ? (await this.#atItsName(indexName)).map((endpoint) => ({ ...endpoint, url })) : endpoints;
    const catalog = isHub ? undefined : async () => this.#open(endpoints, 'pull');
    const mirrors = isHub ? this.serviceConfig().mirrors : [];
    return searchRegistry({ ...split, endpoints: index, connect: this.#connect, catalog, mirrors }, opts);
  }

  async *diagnose(reference: Reference, opts: SignalOption = {}): AsyncGenerator<Check> {
    const { diagnose } = await import('./doctor/diagnose.ts');
    const subject = {
      settings: this.#settings,
      endpoints: () => this.lookupPullEndpoints(reference.domain, reference.path),
      connection: this.#endpoint,
      hostFacts: this.#shared.hostFacts,
      credentials: (warn: (text: string) => void) => this.#credentials(warn),
    };
    yield* diagnose(reference, subject, opts);
  }

  async close(): Promise<void> {
    if (this.#ownsShared) await closeShared(this.#shared);
  }

  readonly #connect = (
    endpoint: APIEndpoint,
    onAnswer: () => void,
    repository?: RepositoryName,
  ): EndpointConnection => {
    const state = this.#state(endpoint);
    const options = this.#telling(() => {
      state.answered = true;
      onAnswer();
    });
    // The plain http endpoint of the same host is asked next.
    const twin = endpoint.insecure !== undefined && endpoint.url.protocol === 'https:';
    const alternatives = twin && 'until-answered';
    return connectEndpoint(endpoint, { ...options, repository, alternatives });
  };

  #open(endpoints: readonly APIEndpoint[], intent: Intent, repository?: RepositoryName): Registry {
    const asked = endpoints.map((endpoint, at) =>
      asFallback(endpoint, intent, this.#state(endpoint), (answered) => {
        const others = endpoints.slice(at + 1);
        const isLast = others.every(({ plainTwin }) => plainTwin);
        const alternatives = isLast ? others.length > 0 && ('until-answered' as const) : true;
        // Only here, not for a requested token: a cached token may allow more than was requested.
        const tokenCache = this.#tokenFiles?.of(endpoint.credentialHost, this.#tokens) ?? this.#tokens;
        const options = { ...this.#telling(answered), repository, alternatives, intent, tokenCache };
        return openEndpoint(endpoint, options).registry;
      }),
    );
    const registry = fallback(asked, { onFallback: this.#tellFallback });
    const accepted = endpoints.every(({ allowNondistributableArtifacts }) => allowNondistributableArtifacts);
    const extension = <T>(key: ExtensionKey<T>): T | undefined =>
      key === foreignLayers ? ({ accepted } as T) : registry.extension(key);
    return { ...registry, extension };
  }

  /** The registry itself: even a mirror that takes pushes may belong to someone else. */
  async #withoutMirrors(host: string, path?: RepositoryName): Promise<readonly APIEndpoint[]> {
    return this.#safe(await this.lookupPushEndpoints(host, path)).filter(({ mirror }) => !mirror);
  }

  /** The registry at the address that its name gives, without any rule. */
  async #atItsName(host: string): Promise<readonly APIEndpoint[]> {
    const options = this.#endpointOptions();
    const settings = { ...options.settings, registryRules: [] };
    return this.#safe(await lookupPushEndpoints(host, { ...options, settings }));
  }

  // An attacker who can cut connections must not get the next request in clear text.
  #safe(endpoints: readonly APIEndpoint[]): readonly APIEndpoint[] {
    return endpoints.filter(
      ({ plainTwin, url }) => !plainTwin || !this.#shared.states.get(url.origin.replace('http:', 'https:'))?.answered,
    );
  }

  #state({ url }: APIEndpoint): EndpointState {
    const { states } = this.#shared;
    const state = states.get(url.origin) ?? { answered: false, failure: undefined };
    states.set(url.origin, state);
    return state;
  }

  /** The endpoint options, with a trace that calls `onAnswer` for every answer. */
  #telling(onAnswer: () => void): EndpointRegistryOptions {
    const { trace } = this.#endpoint;
    return {
      ...this.#endpoint,
      connections: this.#shared.connections,
      lateChallenges: this.#shared.lateChallenges,
      hostFacts: this.#shared.hostFacts,
      trace: (event) => {
        if (event.status !== undefined || event.speaksTls) onAnswer();
        trace?.(event);
      },
    };
  }

  #credentials(warn: (text: string) => void): AuthProvider {
    return this.#options.credentials ?? storedCredentials(this.#settings, { ...this.#options, warn });
  }

  #endpointOptions(): EndpointOptions {
    const { resolve, defaultRegistry } = this.#options;
    return { settings: this.#settings, warn: this.#warn, resolve, defaultRegistry };
  }

  // Not reported to the user: that an insecure registry speaks plain http, which is how it was set up, and the same
  // failure a second time, as several tags may fail for the same reason.
  readonly #tellFallback = (event: FallbackEvent): void => {
    const { trace, onFallback } = this.#options;
    const { from, to, error } = event;
    const told = `${from} ${error.code} ${to}`;
    if (to === plainName(from) || this.#warned.has(told)) trace?.(event.text);
    else onFallback?.(event);
    this.#warned.add(told);
  };

  // Certificates are read, and registries warn, again and again: report each warning once.
  readonly #warn = (text: string): void => {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#options.warn?.(text);
  };
}
