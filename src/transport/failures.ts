import { OciError } from '../model/errors.ts';
import { isOutOfMemory, outOfMemory } from '../model/out-of-memory.ts';
import { errorCode } from './error-code.ts';
import { endpointOf } from './redact.ts';
import { tlsFailure } from './tls-failures.ts';

/** The kind of a failure, for the decision whether to retry. */
type FailureKind = 'unreachable' | 'reset' | 'timeout' | 'final';

/**
 * Converts any error of undici or Node to an OciError: NETWORK, TIMEOUT, TLS, PROTOCOL, or INTERNAL if memory ran out.
 * Its message contains host and port, but no path, query or credential.
 *
 * @param certsDir As for {@link tlsFailure}.
 */
export function networkError(error: unknown, url: URL, certsDir?: string): OciError {
  if (error instanceof OciError) return error;
  if (isOutOfMemory(error)) {
    return outOfMemory(`talk to ${url.host}`, { cause: error, endpoint: endpointOf(url) });
  }
  const tls = tlsFailure(error, url, certsDir);
  if (tls) return tls;
  const code = errorCode(error);
  const endpoint = endpointOf(url);
  const known = prose[code];
  if (known) {
    const [ours, text, hint] = known;
    const closed = code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED';
    const retryable = closed ? false : undefined;
    return new OciError(ours, `${url.host}: ${text}`, { hint, cause: error, endpoint, retryable });
  }
  if (error instanceof Error && error.name === 'HTTPParserError') return parserError(error, url);
  const detail = code === '' ? 'the connection failed' : `the connection failed (${code})`;
  return new OciError('NETWORK', `${url.host}: ${detail}`, { cause: error, endpoint });
}

/** The kind of a failure, which decides how it is handled. */
export function failureKind(error: unknown): FailureKind {
  const code = errorCode(error instanceof OciError ? error.cause : error);
  if (unreachableCodes.has(code)) return 'unreachable';
  if (error instanceof OciError && error.code === 'TIMEOUT') return 'timeout';
  if (error instanceof OciError && error.code === 'NETWORK' && error.retryable) return 'reset';
  return 'final';
}

type Prose = readonly [code: 'NETWORK' | 'TIMEOUT' | 'PROTOCOL', text: string, hint?: string];

const unreachableCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const checkName = 'check the name of the registry, and the network';
const reset: Prose = ['NETWORK', 'the connection was cut'];

const prose: Readonly<Record<string, Prose>> = {
  ECONNREFUSED: ['NETWORK', 'connection refused', 'check that the registry runs there, and the port'],
  ENOTFOUND: ['NETWORK', 'no such host', checkName],
  EAI_AGAIN: ['NETWORK', 'the name could not be looked up', checkName],
  EHOSTUNREACH: ['NETWORK', 'no route to the host', checkName],
  ENETUNREACH: ['NETWORK', 'the network is unreachable', checkName],
  ECONNRESET: reset,
  EPIPE: reset,
  ECONNABORTED: reset,
  UND_ERR_SOCKET: reset,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['NETWORK', 'the answer ended too early'],
  UND_ERR_CLOSED: ['NETWORK', 'the transport is closed'],
  UND_ERR_DESTROYED: ['NETWORK', 'the transport is closed'],
  ETIMEDOUT: ['TIMEOUT', 'the connection timed out', checkName],
  UND_ERR_CONNECT_TIMEOUT: ['TIMEOUT', 'the connection timed out', checkName],
  UND_ERR_HEADERS_TIMEOUT: ['TIMEOUT', 'no answer came in time'],
  UND_ERR_BODY_TIMEOUT: ['TIMEOUT', 'the answer stopped in the middle'],
  UND_ERR_HEADERS_OVERFLOW: ['PROTOCOL', 'the answer has more headers than are accepted'],
  HPE_HEADER_OVERFLOW: ['PROTOCOL', 'the answer has more headers than are accepted'],
};

function parserError(cause: Error, url: URL): OciError {
  // A TLS server answers plain text with an alert record: 0x15 0x03.
  const { data } = cause as { data?: unknown };
  if (url.protocol === 'http:' && typeof data === 'string' && data.startsWith('\u0015\u0003')) {
    return speaksTls(url, cause);
  }
  return new OciError('PROTOCOL', `${url.host}: the answer is not HTTP`, {
    cause,
    endpoint: endpointOf(url),
    hint: 'check that a registry runs on this port',
  });
}

/** The error for plain http to a TLS server. */
export function speaksTls(url: URL, cause?: unknown): OciError {
  return new OciError('TLS', `${url.host} wants TLS but was asked in plain http`, {
    cause,
    endpoint: endpointOf(url),
    hint: 'use https for this registry: remove it from the insecure registries, or write https:// in its address',
  });
}
