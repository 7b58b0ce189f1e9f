import type { DaemonEndpoint } from '../config/docker/daemon-endpoint.ts';
import { formatOrigin } from '../config/origin.ts';
import { OciError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import { quote, visible } from '../model/quote.ts';

/** `the Docker daemon at unix:///var/run/docker.sock` */
export function daemonName({ host }: DaemonEndpoint): string {
  return `the Docker daemon at ${visible(host)}`;
}

const start =
  'start it (systemctl start docker, or Docker Desktop), or name another with DOCKER_HOST or docker context use';

/** What a failed connection means, and what to do. */
export function connectionError(error: unknown, endpoint: DaemonEndpoint): unknown {
  if (error instanceof OciError) return error;
  const cause = error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const name = daemonName(endpoint);
  const by = endpoint.origin.kind === 'default' ? '' : ` (${formatOrigin(endpoint.origin)})`;
  const fail = (kind: 'NETWORK' | 'TLS' | 'TIMEOUT' | 'DENIED', problem: string, hint: string): OciError =>
    new OciError(kind, problem, { hint, cause, retryable: false });
  if (isTimeout(error))
    return fail('TIMEOUT', `${name}${by} does not answer`, 'check whether it hangs: docker version');
  if (code === 'ENOENT') return fail('NETWORK', `there is no Docker daemon at ${visible(endpoint.host)}${by}`, start);
  if (code === 'EACCES' || code === 'EPERM') {
    const hint = 'join the group docker (usermod -aG docker USER, then log in again), or use sudo';
    return fail('DENIED', `this user may not use ${name}${by}`, hint);
  }
  if (code === 'ECONNREFUSED' || code === 'ENOTSOCK' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return fail('NETWORK', `no Docker daemon listens at ${visible(endpoint.host)}${by}`, start);
  }
  if (isTls(error, code)) {
    const isPlain = code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO';
    const hint = isPlain
      ? 'it may listen without TLS there: unset DOCKER_TLS_VERIFY, or correct the port'
      : 'check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH or in the context';
    return fail('TLS', `no TLS connection with ${name}${by}: ${reasonOf(error, code)}`, hint);
  }
  const hint = 'look into its log: journalctl -u docker';
  return fail('NETWORK', `the connection with ${name} failed: ${reasonOf(error, code)}`, hint);
}

/** Refusals of the daemon, in its words. */
export function refusal(endpoint: DaemonEndpoint, status: number, body: Uint8Array): OciError {
  const text = messageIn(body);
  const name = daemonName(endpoint);
  const said = text === '' ? `answers ${status}` : `says ${quote(text, 400)} (${status})`;
  if (status === 400 && /client version .* is too (?:old|new)/i.test(text)) return unsupportedVersion(endpoint, text);
  if (status === 400 && /HTTP request to an HTTPS server/.test(text)) {
    const hint = 'set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or use a context with certificates';
    return new OciError('TLS', `${name} wants TLS`, { hint, status });
  }
  if (status === 401 || status === 403) return new OciError('DENIED', `${name} ${said}`, { status });
  if (status === 404) return new OciError('MANIFEST_UNKNOWN', `${name} ${said}`, { status });
  const hint = 'look into its log: journalctl -u docker';
  return new OciError(status >= 500 ? 'UNKNOWN' : 'PROTOCOL', `${name} ${said}`, { status, hint, retryable: false });
}

/** @param text What the daemon says, or its version. */
export function unsupportedVersion(endpoint: DaemonEndpoint, text: string): OciError {
  return new OciError('UNSUPPORTED', `${daemonName(endpoint)} has no API version that is spoken here: ${quote(text)}`, {
    hint: 'Docker 1.12 and later are supported; update Docker, or ocictl',
  });
}

/** The `message` of a JSON error, or the text itself. */
function messageIn(body: Uint8Array): string {
  const text = Buffer.from(body).toString('utf8').trim();
  try {
    const value = parseJson(text);
    const message = typeof value === 'object' && value !== null && 'message' in value ? value.message : undefined;
    return typeof message === 'string' ? message : text;
  } catch {
    return text;
  }
}

function isTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { cause } = error;
  return error.name === 'TimeoutError' || (cause instanceof Error && cause.name === 'TimeoutError');
}

function isTls(error: unknown, code: string): boolean {
  const text = error instanceof Error ? error.message : '';
  return (
    /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|ERR_OSSL|EPROTO)/.test(code) ||
    /\bTLS\b|\bSSL\b/.test(text)
  );
}

function reasonOf(error: unknown, code: string): string {
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'it was cut';
  return code !== '' ? code : quote(error instanceof Error ? error.message : String(error));
}
