import type { APIEndpoint } from '../../endpoints/endpoint.ts';
import { tryParseDigest } from '../../model/digest.ts';
import type { Intent } from '../../registry/intent.ts';
import type { Registry } from '../../registry/registry.ts';
import type { EndpointState, FallbackEndpoint, FallbackRequest } from '../../registry/wrappers/fallback/candidate.ts';
import { endpointOf } from '../../transport/redact.ts';

/** An endpoint in the form that the fallback wrapper takes. */
export function asFallback(
  endpoint: APIEndpoint,
  intent: Intent,
  state: EndpointState,
  open: (answered: () => void) => Registry,
): FallbackEndpoint {
  const { mirror, official, plainTwin, references } = endpoint;
  const name = endpointName(endpoint);
  return {
    // Only the plain http endpoint needs its scheme: apart from it, each host has one endpoint.
    name: plainTwin ? plainName(name) : name,
    ...(official && !plainTwin && { title: 'Docker Hub' }),
    origin: endpointOf(endpoint.url),
    kind: mirror && intent === 'pull' ? 'mirror' : 'origin',
    open: async (answered) => open(answered),
    state,
    ...(references && { skipWhen: unlessFor(references) }),
    ...(plainTwin && { twinOf: name }),
  };
}

/** How the plain http endpoint of a host is shown. */
export function plainName(name: string): string {
  return `http://${name}`;
}

// As it was written: a URL drops the default port of its scheme, so the names for http and https would not match.
function endpointName({ url, official, credentialHost }: APIEndpoint): string {
  const path = url.pathname.replace(/\/$/, '');
  return `${official ? url.host : credentialHost}${path}`;
}

/**
 * Skips the requests that an endpoint is not for. What belongs to an image that was requested by tag goes to the
 * endpoints for tags, too.
 */
function unlessFor(references: 'digests' | 'tags'): (request: FallbackRequest) => boolean {
  let byTag = false;
  return ({ kind, reference }) => {
    if (kind === 'list') return references === 'digests';
    if (reference === undefined) return false;
    const isTag = tryParseDigest(reference) === undefined;
    byTag ||= isTag;
    return references === 'digests' ? isTag : !byTag;
  };
}
