import { checkArgument, checkFields } from '../model/check-arguments.ts';
import { type ErrorCode, isErrorCode, OciError, statusOf } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import { userEnd } from '../model/reference/reference-grammar.ts';

/** The spec's error body, as a server sends it. */
export function encodeErrors(error: OciError): string {
  checkFields('encodeErrors', 'the error', error, { code: 'string', message: 'string' });
  const entry = {
    code: publicCode(error.code),
    message: error.message,
    ...(error.detail !== undefined && { detail: error.detail }),
  };
  return `${JSON.stringify({ errors: [entry] })}\n`;
}

/** What is known about a failed request besides its body. */
export interface ErrorContext {
  /** HTTP status of the answer. */
  readonly status: number;
  /** What was requested, for the message: `manifest for alpine:3`. Contains no query and no credential. */
  readonly subject: string;
  /** Scheme, host and port, for the message. */
  readonly endpoint: string;
  /** What `Retry-After` says, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The code for a 404, if the body names none. */
  readonly notFound?: ErrorCode | undefined;
}

/**
 * The error for a response. The body may be the spec's JSON, `{"details":…}`, HTML or empty.
 *
 * @param body At most its first MiB.
 */
export function decodeError(body: Uint8Array, context: ErrorContext): OciError {
  checkArgument('decodeError', 'the body', body, 'bytes');
  checkFields('decodeError', 'the context', context, { status: 'number', subject: 'string', endpoint: 'string' });
  const { status, subject, endpoint, retryAfterMs } = context;
  const first = firstEntry(body);
  const code = believedCode(first?.code ?? '', status) ?? codeOf(context);
  const reason = printable(first?.message ?? '') || `${status} from ${endpoint}`;
  return new OciError(code, `${subject}: ${reason}`, {
    status,
    endpoint,
    retryAfterMs,
    detail: first?.detail,
    retryable:
      status === 429 || status === 408 || (status >= 500 && status !== 501 && status !== 505 && status !== 507),
  });
}

/** Whether a body is a registry's error document, as opposed to a web page or a line of text. */
export function isErrorDocument(body: Uint8Array): boolean {
  return firstEntry(body) !== undefined;
}

/**
 * A registry's text in a form that is safe in a message: control, bidirectional and invisible characters become spaces,
 * so that it cannot control the terminal; URLs lose credentials and queries, which may contain a signature; it is cut
 * at 500 characters.
 */
export function printable(text: string): string {
  const cut = text.length > 4096 ? text.slice(0, 4096).replace(/https?:\/\/[^\s"']*$/i, '…') : text;
  return cut
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .replace(/(https?:\/\/)([^\s"']*)/gi, (_, scheme: string, rest: string) => scheme + bareAddress(rest))
    .slice(0, 500);
}

function bareAddress(rest: string): string {
  const question = rest.indexOf('?');
  // Either a password with a "?" in it, or a query with an "@": both may be secrets.
  if (question !== -1 && rest.includes('@', question)) return '…';
  const bare = question === -1 ? rest : `${rest.slice(0, question)}?…`;
  return bare.slice(userEnd(bare));
}

function firstEntry(body: Uint8Array): { code: string; message?: string; detail?: unknown } | undefined {
  let document: unknown;
  try {
    document = parseJson(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  if (typeof document !== 'object' || document === null) return undefined;
  const fields = document as Record<string, unknown>;
  const entry: unknown = Array.isArray(fields['errors']) ? fields['errors'][0] : undefined;
  if (typeof entry === 'object' && entry !== null) {
    const { code, message, detail } = entry as Record<string, unknown>;
    return {
      code: typeof code === 'string' ? code.toUpperCase() : '',
      ...(typeof message === 'string' && message !== '' && { message }),
      ...(detail !== undefined && { detail }),
    };
  }
  const message = fields['details'] ?? fields['message'] ?? fields['error'];
  return typeof message === 'string' ? { code: '', message } : undefined;
}

/** The codes that registries send. The others are ours; a registry must not select our exit status with them. */
const wireCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'MANIFEST_UNVERIFIED',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'PAGINATION_NUMBER_INVALID',
  'RANGE_INVALID',
  'SIZE_INVALID',
  'TAG_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
  'UNKNOWN',
  'UNAVAILABLE',
]);

// A code is accepted only if it fits the status: MANIFEST_UNKNOWN in a 500 does not mean "not found". The statuses 413
// and 429 are more reliable than the codes sent with them.
function believedCode(word: string, status: number): ErrorCode | undefined {
  if (status === 413 || status === 429 || !isErrorCode(word) || !wireCodes.has(word)) return undefined;
  return Math.floor(statusOf(word) / 100) === Math.floor(status / 100) ? word : undefined;
}

function codeOf({ status, notFound }: ErrorContext): ErrorCode {
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return 'DENIED';
  if (status === 404) return notFound ?? 'NAME_UNKNOWN';
  if (status === 405 || status === 501) return 'UNSUPPORTED';
  if (status === 408 || status === 504) return 'TIMEOUT';
  if (status === 413) return 'TOO_LARGE';
  if (status === 416) return 'RANGE_INVALID';
  if (status === 429) return 'TOOMANYREQUESTS';
  return status >= 500 ? 'UNAVAILABLE' : 'PROTOCOL';
}

/** The spec's codes for our own ones, as a server sends them. */
const publicCodes: ReadonlyMap<ErrorCode, ErrorCode> = new Map<ErrorCode, ErrorCode>([
  ['DIGEST_MISMATCH', 'DIGEST_INVALID'],
  ['SIZE_MISMATCH', 'SIZE_INVALID'],
  ['TOO_LARGE', 'SIZE_INVALID'],
  ['REFERENCE_INVALID', 'NAME_INVALID'],
  ['IMAGE_UNKNOWN', 'MANIFEST_UNKNOWN'],
  ['PLATFORM_UNKNOWN', 'MANIFEST_UNKNOWN'],
  ['FILE_UNKNOWN', 'MANIFEST_UNKNOWN'],
  ['REFUSED', 'DENIED'],
  ['USAGE', 'UNSUPPORTED'],
]);

function publicCode(code: ErrorCode): ErrorCode {
  return wireCodes.has(code) ? code : (publicCodes.get(code) ?? 'UNKNOWN');
}
