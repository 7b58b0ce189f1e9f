import { createAuthorizer } from '../auth/authorizer.ts';
import type { CredentialStore } from '../credentials/store.ts';
import type { APIEndpoint } from '../endpoints/endpoint.ts';
import type { Registry } from '../registry/registry.ts';
import { createRemote } from '../remote/remote.ts';
import { createTransport, type RequestTrace, type Transport } from '../transport/transport.ts';

export interface EndpointRegistryOptions {
  readonly credentials: CredentialStore;
  /** The `HttpHeaders` of config.json. */
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly userAgent: string;
  /** Requests for one thing, the first one included. */
  readonly attempts: number;
  readonly warn: (text: string) => void;
  readonly trace?: ((event: RequestTrace) => void) | undefined;
}

/** One endpoint as a registry, and the connections that it stands on. */
export interface EndpointRegistry {
  readonly registry: Registry;
  readonly transport: Transport;
}

/** Opens no connection and reads no credential before the first request. */
export function openEndpoint(endpoint: APIEndpoint, options: EndpointRegistryOptions): EndpointRegistry {
  const { credentials, httpHeaders, userAgent, attempts, warn, trace } = options;
  const transport = createTransport({
    base: endpoint.url,
    tls: endpoint.tls,
    // HttpHeaders often hold secrets of the registry; a mirror is somebody else.
    ...(!endpoint.mirror && { headers: httpHeaders }),
    userAgent,
    retry: { attempts },
    trace,
  });
  const authorizer = createAuthorizer({
    transport,
    // By the endpoint's own name: a mirror of Docker Hub must not be shown what the user is at Docker Hub.
    credentials: () => credentials.get(endpoint.credentialHost),
    registry: endpoint.credentialHost,
  });
  const registry = createRemote({ name: endpoint.credentialHost, transport, authorizer, onWarning: warn });
  return { registry, transport };
}
