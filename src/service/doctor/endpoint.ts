import type { Authorizer } from '../../auth/contract.ts';
import { formatOrigin } from '../../config/origin.ts';
import type { Credential } from '../../credentials/credential.ts';
import type { APIEndpoint } from '../../endpoints/endpoint.ts';
import { formatHostMatch } from '../../endpoints/host-match.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError, type OciError } from '../../model/errors.ts';
import { isDigestReference, type RepositoryName, type Tag } from '../../model/reference/reference.ts';
import { header, headerLines } from '../../transport/http.ts';
import { decideProxy } from '../../transport/proxy/proxy.ts';
import type { RequestTrace } from '../../transport/request-trace.ts';
import { parseChallenges } from '../../wire/challenges.ts';
import { routePath } from '../../wire/routes.ts';
import { missingCloudPackage } from '../cloud-logins/cloud-logins.ts';
import {
  connectEndpoint,
  type EndpointRegistryOptions,
  findCredential,
  openEndpoint,
} from '../open/endpoint-registry.ts';
import { type Check, problem } from './check.ts';
import { checkProxy } from './proxy.ts';
import { probeTls } from './tls-probe.ts';

interface EndpointCheckOptions {
  readonly path: RepositoryName;
  readonly target: Tag | Digest;
  readonly connection: EndpointRegistryOptions;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly signal?: AbortSignal | undefined;
}

const dayMs = 24 * 60 * 60 * 1000;
const soonMs = 14 * dayMs;
/** Tokens are valid for at least a minute, certificates for days. */
const maxSkewMs = 30_000;
const probeTimeoutMs = 10_000;

/** Checks one endpoint, step by step until one fails. Sends what a pull would send, and nothing else. */
export async function* checkEndpoint(endpoint: APIEndpoint, options: EndpointCheckOptions): AsyncGenerator<Check> {
  const name = endpointAddress(endpoint);
  yield describeEndpoint(endpoint, name, options.path);
  yield* checkProxy(endpoint.url, name, options.connection.proxy);
  const ping = await checkPing(endpoint, name, options);
  if (endpoint.url.protocol === 'https:') yield* checkTls(endpoint, name, ping.failure, options);
  yield* ping.checks;
  if (!ping.answered) return;
  yield await checkCredential(endpoint, name, ping.asksWho, options);
  if (isAskedFor(endpoint, options.target)) yield* checkImage(endpoint, name, options);
}

/** A mirror may be for tags or digests alone. */
function isAskedFor({ references }: APIEndpoint, target: Tag | Digest): boolean {
  return references === undefined || (references === 'digests') === isDigestReference(target);
}

/** An endpoint as a diagnosis shows it. The scheme distinguishes a host's plain http endpoint from the one over TLS. */
export function endpointAddress({ url, official, credentialHost }: APIEndpoint): string {
  return `${url.protocol}//${official ? url.host : credentialHost}`;
}

function describeEndpoint(endpoint: APIEndpoint, name: string, path: RepositoryName): Check {
  const { mirror, official, insecure, url, origin, rename, references, namespace } = endpoint;
  const role = mirror ? 'mirror' : official ? 'Docker Hub itself' : 'the registry itself';
  const asked = rename?.(path) ?? path;
  const facts = [
    origin && `set by ${formatOrigin(origin)}`,
    insecure && `insecure by ${formatHostMatch(insecure)}`,
    asked !== path && `asked for ${asked}`,
    references && `for ${references} only`,
    namespace && `told ns=${namespace}`,
  ].filter((fact) => typeof fact === 'string');
  return {
    topic: 'endpoint',
    endpoint: name,
    status: 'ok',
    text: [role, ...facts].join('; '),
    detail: {
      mirror,
      official,
      url: url.href,
      origin: origin && formatOrigin(origin),
      insecure: insecure && formatHostMatch(insecure),
      repository: asked,
      references: references ?? 'all',
    },
  };
}

/** The server's certificate, and the TLS error, if any, of a request that verifies it as a pull does. */
async function* checkTls(
  { url, tls, insecure }: APIEndpoint,
  endpoint: string,
  failure: OciError | undefined,
  { nowMs, signal, connection }: EndpointCheckOptions,
): AsyncGenerator<Check> {
  const refused = failure?.code === 'TLS' ? failure : undefined;
  const addresses = insecure?.addresses;
  const decision = decideProxy(url, connection.proxy ?? {});
  const proxy = decision.kind === 'proxy' ? decision.proxy : undefined;
  const presented = await probeTls({ url, tls, addresses, proxy, timeoutMs: probeTimeoutMs }).catch(() => undefined);
  signal?.throwIfAborted();
  const base = { topic: 'tls', endpoint } as const;
  if (!presented) {
    // An insecure registry may speak plain http only: its other endpoint is checked next.
    if (refused && insecure) yield { ...base, status: 'note', text: refused.message };
    else if (refused) yield problem('tls', refused, endpoint);
    return;
  }
  const { protocol, subject, names, issuer, validFrom, validTo } = presented;
  const until = validTo.toISOString().slice(0, 10);
  const shown = `${protocol}; certificate of ${subject} for ${names.join(', ') || 'no name'}, by ${issuer}, until ${until}`;
  const detail = { ...presented, validFrom: validFrom.toISOString(), validTo: validTo.toISOString() };
  const leftMs = validTo.getTime() - nowMs();
  if (refused) {
    const { text, ...rest } = problem('tls', refused, endpoint);
    yield { ...rest, text: `${text} (${shown})`, detail };
  } else if (leftMs < soonMs) {
    const when = leftMs < 0 ? 'has expired' : `expires in ${Math.floor(leftMs / dayMs)} days`;
    yield { ...base, status: 'warning', text: `the certificate ${when} (${shown})`, advice: 'have it renewed', detail };
  } else {
    const unchecked = tls.verify === false ? '; not verified, because the host is insecure' : '';
    yield { ...base, status: tls.verify === false ? 'note' : 'ok', text: `${shown}${unchecked}`, detail };
  }
}

interface Ping {
  readonly checks: readonly Check[];
  readonly answered: boolean;
  readonly asksWho: boolean;
  readonly failure?: OciError;
}

async function checkPing(
  endpoint: APIEndpoint,
  name: string,
  { connection, nowMs, signal }: EndpointCheckOptions,
): Promise<Ping> {
  // One attempt: a diagnosis waits for a silent server only once.
  const { transport } = connectEndpoint(endpoint, { ...connection, alternatives: true });
  try {
    const startedMs = performance.now();
    const url = new URL(`.${routePath({ name: 'base' })}`, transport.base);
    const { status, headers, body } = await transport.request({ method: 'GET', url, signal });
    const tookMs = Math.round(performance.now() - startedMs);
    await body.discard();
    const schemes = parseChallenges(headerLines(headers, 'www-authenticate')).map(({ scheme }) => scheme);
    const fine = status === 200 || (status === 401 && schemes.length > 0);
    const asks = schemes.length > 0 ? `, asks for ${[...new Set(schemes)].join(' or ')}` : '';
    const ping: Check = {
      topic: 'ping',
      endpoint: name,
      status: fine ? 'ok' : 'problem',
      text: `answered ${status} in ${tookMs} ms${asks}`,
      ...(!fine && {
        advice: status >= 500 ? 'its own log says why' : 'check that a registry with the v2 API runs there',
      }),
      detail: { status, durationMs: tookMs, challenges: schemes },
    };
    const date = Date.parse(header(headers, 'date') ?? '');
    const clock = Number.isNaN(date) ? [] : [checkClock(nowMs() - date, name)];
    return { checks: [ping, ...clock], answered: fine, asksWho: schemes.length > 0 };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isOciError(error)) throw error;
    // The check of TLS reports what is wrong with TLS.
    const checks = error.code === 'TLS' ? [] : [problem('ping', error, name)];
    return { checks, answered: false, asksWho: false, failure: error };
  } finally {
    await transport.close();
  }
}

function checkClock(skewMs: number, endpoint: string): Check {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const base = { topic: 'clock', endpoint, detail: { skewSeconds: Math.round(skewMs / 1000) } } as const;
  if (Math.abs(skewMs) <= maxSkewMs) return { ...base, status: 'ok', text: `agrees within ${seconds + 1} s` };
  return {
    ...base,
    status: 'warning',
    text: `this machine is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the registry`,
    advice: 'set the clock: tokens and certificates are judged by it',
  };
}

async function checkCredential(
  asked: APIEndpoint,
  endpoint: string,
  asksWho: boolean,
  { connection }: EndpointCheckOptions,
): Promise<Check> {
  const base = { topic: 'credentials', endpoint } as const;
  let found: Credential | undefined;
  try {
    found = await findCredential(asked, connection);
  } catch (error) {
    return problem('credentials', error, endpoint);
  }
  if (!found) {
    const text = `none for ${asked.credentialHost}; asked anonymously`;
    const missing = missingCloudPackage(asked.credentialHost);
    const advice = missing && `to use this machine's identity in the cloud, install ${missing} beside ocictl`;
    return { ...base, status: 'note', text, ...(advice && { advice }) };
  }
  const who = found.kind === 'password' ? `${found.username}, by password` : found.kind.replace('-', ' ');
  const unused = asksWho ? '' : '; not asked for';
  const detail = { kind: found.kind, username: 'username' in found ? found.username : undefined, source: found.source };
  return { ...base, status: 'ok', text: `${who}, from ${found.source}${unused}`, detail };
}

async function* checkImage(
  endpoint: APIEndpoint,
  name: string,
  { path, target, connection, signal }: EndpointCheckOptions,
): AsyncGenerator<Check> {
  let limits: RequestTrace['responseHeaders'];
  const trace = (event: RequestTrace): void => {
    if (event.responseHeaders?.['ratelimit-limit'] !== undefined) limits = event.responseHeaders;
    connection.trace?.(event);
  };
  const { registry, transport, authorizer } = openEndpoint(endpoint, { ...connection, trace });
  try {
    const { digest, mediaType } = await registry.statManifest(path, target, { signal });
    yield* checkLateLogin(authorizer, name);
    yield { topic: 'image', endpoint: name, status: 'ok', text: digest, detail: { digest, mediaType } };
  } catch (error) {
    signal?.throwIfAborted();
    yield* checkLateLogin(authorizer, name);
    yield problem('image', error, name);
  } finally {
    await transport.close();
  }
  if (limits) yield checkRateLimit(limits, name);
}

/** About a registry that answers 403 or 404 to anonymous requests, without a challenge. */
function* checkLateLogin({ isLate, lateRefusal }: Authorizer, endpoint: string): Generator<Check> {
  const base = { topic: 'credentials', endpoint } as const;
  const hides = 'the registry answers anonymous requests with 403 or 404 and asks for no login';
  if (lateRefusal) {
    const { message, hint: advice } = lateRefusal;
    yield { ...base, status: 'warning', text: `${hides}; the stored one does not work: ${message}`, advice };
  } else if (isLate) {
    yield { ...base, status: 'note', text: `${hides}: the stored one was sent as its /v2/ asks for it` };
  }
}

/** `100;w=21600` means 100 pulls in 21600 seconds. @see https://docs.docker.com/docker-hub/usage/pulls/ */
function checkRateLimit(headers: Readonly<Record<string, string>>, endpoint: string): Check {
  const [limit = '', window] = (headers['ratelimit-limit'] ?? '').split(';w=');
  const [remaining] = (headers['ratelimit-remaining'] ?? '').split(';w=');
  const hours = window === undefined ? '' : ` in ${Number(window) / 3600} h`;
  const low = Number(remaining) < Number(limit) / 10;
  return {
    topic: 'rate limit',
    endpoint,
    status: low ? 'warning' : 'ok',
    text: `${remaining ?? 'unknown'} of ${limit}${hours} left`,
    ...(low && { advice: `log in with 'ocictl login', or pull through a mirror` }),
    detail: { limit: Number(limit), remaining: Number(remaining), windowSeconds: Number(window) },
  };
}
