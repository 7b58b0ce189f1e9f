import { type Authorizer, createAuthorizer } from '../auth/authorizer.ts';
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

/** The way to one endpoint, and who is asking there. */
export interface EndpointConnection {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
}

/** Opens no connection and reads no credential before the first request. */
export function connectEndpoint(endpoint: APIEndpoint, options: EndpointRegistryOptions): EndpointConnection {
  const { credentials, httpHeaders, userAgent, attempts, trace } = options;
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
  return { transport, authorizer };
}

/** Opens no connection and reads no credential before the first request. */
export function openEndpoint(endpoint: APIEndpoint, options: EndpointRegistryOptions): EndpointRegistry {
  const { transport, authorizer } = connectEndpoint(endpoint, options);
  const registry = createRemote({
    name: endpoint.credentialHost,
    transport,
    authorizer,
    onWarning: options.warn,
  });
  return { registry, transport };
}
