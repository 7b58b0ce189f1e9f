import type { AuthProvider } from '../../auth/auth-provider.ts';
import { createAuthorizer } from '../../auth/authorizer.ts';
import type { Authorizer } from '../../auth/contract.ts';
import { keptChallenges } from '../../auth/kept-challenges.ts';
import type { LateChallenges } from '../../auth/late-challenges.ts';
import type { TokenCache } from '../../auth/token-cache.ts';
import type { ProxySettings } from '../../config/docker/service-keys.ts';
import type { Credential } from '../../credentials/credential.ts';
import type { APIEndpoint } from '../../endpoints/endpoint.ts';
import type { HostFacts, HostRecord } from '../../host-facts/host-facts.ts';
import type { Challenge } from '../../model/challenge.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { Intent } from '../../registry/intent.ts';
import type { Registry } from '../../registry/registry.ts';
import { renamed } from '../../registry/wrappers/renamed.ts';
import { createRemote } from '../../remote/remote.ts';
import type { UploadJournals } from '../../remote/upload/journal.ts';
import type { Connections } from '../../transport/connections.ts';
import type { TransportLimits } from '../../transport/origins.ts';
import type { RequestTrace } from '../../transport/request-trace.ts';
import type { RetryPolicy } from '../../transport/retry/retry.ts';
import { createTransport, type Transport } from '../../transport/transport.ts';
import type { Wait } from '../../transport/waits.ts';

/** Credentials for the registry instead of stored ones; `anonymous`: none, for mirrors too. */
export type Identity = Credential | 'anonymous';

export interface EndpointRegistryOptions {
  readonly credentials: AuthProvider;
  /** The repository whose credentials are looked up, as some are for a namespace alone; if absent, the registry's own. */
  readonly repository?: RepositoryName | undefined;
  readonly identity?: Identity | undefined;
  readonly intent?: Intent | undefined;
  /** The `HttpHeaders` of config.json. */
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly userAgent: string;
  readonly proxy?: ProxySettings | undefined;
  /** As in OriginsOptions. */
  readonly allowPrivate?: readonly string[] | undefined;
  readonly retry: RetryPolicy;
  readonly limits?: TransportLimits | undefined;
  /** Whether another endpoint is asked when this one fails; `until-answered`: only if it fails before any answer. */
  readonly alternatives?: boolean | 'until-answered' | undefined;
  /** Each is optional: if absent, the endpoint has its own. */
  readonly connections?: Connections | undefined;
  readonly tokenCache?: TokenCache | undefined;
  readonly lateChallenges?: LateChallenges | undefined;
  readonly hostFacts?: HostFacts | undefined;
  readonly uploadJournals?: UploadJournals | undefined;
  readonly warn: (text: string) => void;
  readonly trace?: ((event: RequestTrace) => void) | undefined;
  readonly onWait?: ((event: Wait) => void) | undefined;
}

/** One endpoint as a registry, with its connections. */
interface EndpointRegistry {
  readonly registry: Registry;
  readonly transport: Transport;
  readonly authorizer: Authorizer;
}

/** The connections to one endpoint, and its authorization. */
export interface EndpointConnection {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  /** Keeps challenges that were answered without the authorizer. */
  readonly remember: (challenges: readonly Challenge[]) => Promise<void>;
}

/** The credentials for an endpoint; undefined: it is accessed anonymously. */
export async function findCredential(
  endpoint: APIEndpoint,
  { credentials, repository, identity }: Pick<EndpointRegistryOptions, 'credentials' | 'repository' | 'identity'>,
  opts?: { readonly fresh?: boolean },
): Promise<Credential | undefined> {
  const { credentialHost, mirror, rename } = endpoint;
  if (identity === 'anonymous') return undefined;
  if (identity !== undefined && !mirror) return identity;
  // Look up by the endpoint's own name: a mirror of Docker Hub must not get the user's credentials of Docker Hub.
  const path = repository === undefined ? '' : `/${rename?.(repository) ?? repository}`;
  return credentials.get(`${credentialHost}${path}`, { ...opts, verified: isVerified(endpoint) });
}

/** Opens no connection and reads no credential before the first request. */
export function connectEndpoint(endpoint: APIEndpoint, options: EndpointRegistryOptions): EndpointConnection {
  const { httpHeaders, userAgent, proxy, retry, alternatives, connections, tokenCache, trace, onWait } = options;
  const { credentialHost, overridePath, namespace, connectTimeoutMs } = endpoint;
  const transport = createTransport({
    base: endpoint.url,
    tls: endpoint.tls,
    addresses: endpoint.insecure?.addresses,
    // HttpHeaders often contain secrets for the registry; a mirror may belong to someone else.
    headers: { ...(!endpoint.mirror && httpHeaders), ...endpoint.headers },
    overridePath,
    namespace,
    limits: { ...options.limits, ...(connectTimeoutMs !== undefined && { connectTimeoutMs }) },
    userAgent,
    proxy,
    allowPrivate: options.allowPrivate,
    hostFacts: options.hostFacts,
    retry,
    intent: options.intent === 'push' ? 'push' : 'pull',
    alternatives,
    connections,
    trace,
    onWait,
  });
  const record = recordOf(endpoint, options.hostFacts);
  // Remembered, a challenge is answered unasked: only where it can be no impostor who has sent it, or gets the answer.
  const challengeCache = isVerified(endpoint) ? record && keptChallenges(record) : undefined;
  const authorizer = createAuthorizer({
    transport,
    credentials: (opts) => findCredential(endpoint, options, opts),
    registry: credentialHost,
    challengeCache,
    tokenCache,
    lateChallenges: options.lateChallenges,
  });
  return { transport, authorizer, remember: async (found) => challengeCache?.set(transport.base.href, found) };
}

/** Opens no connection and reads no credential before the first request. */
export function openEndpoint(endpoint: APIEndpoint, options: EndpointRegistryOptions): EndpointRegistry {
  const { transport, authorizer } = connectEndpoint(endpoint, options);
  const registry = createRemote({
    name: endpoint.credentialHost,
    transport,
    authorizer,
    facts: recordOf(endpoint, options.hostFacts),
    uploadJournal: options.uploadJournals?.of(endpoint.url, trustOf(endpoint)),
    intent: options.intent === 'pull' ? 'pull' : 'push',
    onWarning: options.warn,
  });
  const { rename, nameBack = () => undefined } = endpoint;
  const names = rename && { inside: rename, outside: nameBack };
  return { registry: names ? renamed(registry, names) : registry, transport, authorizer };
}

function recordOf(endpoint: APIEndpoint, facts: HostFacts | undefined): HostRecord | undefined {
  return facts?.of(endpoint.url, trustOf(endpoint));
}

function trustOf({ tls }: APIEndpoint): { readonly verified: boolean } {
  return { verified: tls.verify ?? true };
}

/** Whether the certificate of an endpoint has to be valid. */
function isVerified({ url, tls }: APIEndpoint): boolean {
  return url.protocol === 'https:' && (tls.verify ?? true);
}
