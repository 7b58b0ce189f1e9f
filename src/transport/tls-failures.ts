import { OciError } from '../model/errors.ts';
import { errorCode } from './error-code.ts';
import { endpointOf } from './redact.ts';

/**
 * The error for a failed TLS connection; undefined if the failure is of another kind.
 *
 * @param certsDir The host's own certificate directory. Default: that of root's Docker.
 */
export function tlsFailure(
  error: unknown,
  url: URL,
  certsDir = `/etc/docker/certs.d/${url.host}`,
): OciError | undefined {
  const found = explain(errorCode(error), error, url, certsDir);
  if (!found) return undefined;
  return new OciError('TLS', `${url.host}: ${found.text}`, {
    cause: error,
    endpoint: endpointOf(url),
    hint: found.hint,
    detail: plainHttp.has(errorCode(error)) ? { plainHttp: true } : found.detail,
  });
}

/** Whether the authority of a certificate is unknown. */
export function isUnknownAuthority(error: unknown): boolean {
  return unknownAuthority.has(errorCode(error));
}

/** Whether another set of roots may give another result: it may contain the current authority. */
export function isUntrusted(error: unknown): boolean {
  const code = errorCode(error);
  return unknownAuthority.has(code) || code === 'CERT_SIGNATURE_FAILURE' || code === 'CERT_HAS_EXPIRED';
}

/**
 * The error for a server that requests a client certificate and got none, or refused the one it got.
 *
 * @param shown Whether one was sent.
 */
export function clientCertificateError(
  url: URL,
  { shown, certsDir = `/etc/docker/certs.d/${url.host}`, cause }: ClientCertificateFault,
): OciError {
  const { text, hint, detail } = shown ? refusesOurs(certsDir) : wantsOne(certsDir);
  return new OciError('TLS', `${url.host}: ${text}`, { cause, endpoint: endpointOf(url), hint, detail });
}

interface ClientCertificateFault {
  readonly shown: boolean;
  readonly certsDir?: string | undefined;
  readonly cause?: unknown;
}

/** Whether a server refused the connection for lack of a client certificate: it exists, and speaks TLS. */
export function isClientCertificateError({ code, detail }: OciError): boolean {
  return code === 'TLS' && detail === aboutClient;
}

const aboutClient = { clientCertificate: true } as const;

interface Explanation {
  readonly text: string;
  readonly hint?: string;
  readonly detail?: unknown;
}

function wantsOne(certsDir: string): Explanation {
  return {
    text: 'the registry asks for a client certificate',
    hint: `put client.cert and client.key into ${certsDir}/`,
    detail: aboutClient,
  };
}

function refusesOurs(certsDir: string): Explanation {
  return {
    text: 'the registry refused the client certificate',
    hint: `check client.cert in ${certsDir}/: whether it has expired, and whether the registry knows who signed it`,
    detail: aboutClient,
  };
}

function explain(code: string, error: unknown, url: URL, certsDir: string): Explanation | undefined {
  if (unknownAuthority.has(code)) {
    return {
      text: 'its certificate is signed by an unknown authority',
      hint: `put the authority's certificate into ${certsDir}/ca.crt`,
    };
  }
  if (code === 'CERT_HAS_EXPIRED') {
    return { text: 'its certificate has expired', hint: 'have it renewed, and check the clock of this machine' };
  }
  if (code === 'CERT_NOT_YET_VALID') {
    return { text: 'its certificate is not valid yet', hint: 'check the clock of this machine' };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(error, url);
  if (plainHttp.has(code)) {
    return {
      text: 'it answered in plain http, not TLS',
      hint: `if that is intended, configure it as an insecure registry: --insecure-registry ${url.host}`,
    };
  }
  if (code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED') return wantsOne(certsDir);
  if (refusedCertificate.test(code)) {
    return {
      text: 'it refused the TLS handshake, as it does without the right client certificate',
      hint: `put client.cert and client.key into ${certsDir}/`,
      detail: aboutClient,
    };
  }
  if (tooOld.has(code)) return { text: 'it offers only TLS older than 1.2' };
  if (
    /^(?:CERT_|CRL_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)/.test(code)
  ) {
    return { text: `the TLS connection failed (${code})` };
  }
  return undefined;
}

function wrongName(error: unknown, url: URL): Explanation {
  const names = (error as { cert?: { subjectaltname?: unknown } }).cert?.subjectaltname;
  const listed =
    typeof names === 'string' && names !== '' ? printableName(names.replace(/(?:DNS|IP Address):/g, '')) : 'no name';
  return {
    text: `its certificate is for ${listed}, not for ${url.hostname}`,
    hint: 'use one of these names, or have a certificate made for this one',
  };
}

// The fields of a certificate are untrusted text.
function printableName(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
}

const unknownAuthority: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
]);

const plainHttp: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_UNEXPECTED_MESSAGE',
]);

/**
 * Alerts of servers that check client certificates, including OpenSSL 3.2's names for them. If no certificate was sent,
 * Go sends bad_certificate, and OpenSSL handshake_failure.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8446#section-6.2
 */
const refusedCertificate =
  /^ERR_SSL_(?:SSLV3|SSL\/TLS|TLSV1|TLSV13)_ALERT_(?:HANDSHAKE_FAILURE|NO_CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA|ACCESS_DENIED)$/;

const tooOld: ReadonlySet<string> = new Set([
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_VERSION_TOO_LOW',
]);
