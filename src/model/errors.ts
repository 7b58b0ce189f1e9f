/**
 * The one error class and the one table of error codes.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */

/** The HTTP status, exit status and retry rule of a code. */
interface CodeFacts {
  /** HTTP status that a registry answers with this code. */
  readonly status: number;
  /** Process exit status, the contract of docs/exit-codes.md. */
  readonly exit: number;
  /** Whether the same request may succeed later without any change. */
  readonly retryable?: true;
}

export const errorCodes = {
  // The distribution spec's codes.
  BLOB_UNKNOWN: { status: 404, exit: 3 },
  BLOB_UPLOAD_INVALID: { status: 404, exit: 5 },
  BLOB_UPLOAD_UNKNOWN: { status: 404, exit: 5 },
  DIGEST_INVALID: { status: 400, exit: 7 },
  MANIFEST_BLOB_UNKNOWN: { status: 400, exit: 3 },
  MANIFEST_INVALID: { status: 400, exit: 7 },
  MANIFEST_UNKNOWN: { status: 404, exit: 3 },
  NAME_INVALID: { status: 400, exit: 2 },
  NAME_UNKNOWN: { status: 404, exit: 3 },
  SIZE_INVALID: { status: 400, exit: 7 },
  UNAUTHORIZED: { status: 401, exit: 4 },
  DENIED: { status: 403, exit: 4 },
  UNSUPPORTED: { status: 405, exit: 1 },
  TOOMANYREQUESTS: { status: 429, exit: 6, retryable: true },
  // Codes that distribution adds.
  TAG_INVALID: { status: 400, exit: 2 },
  MANIFEST_UNVERIFIED: { status: 400, exit: 7 },
  PAGINATION_NUMBER_INVALID: { status: 400, exit: 2 },
  RANGE_INVALID: { status: 416, exit: 5 },
  UNKNOWN: { status: 500, exit: 5, retryable: true },
  UNAVAILABLE: { status: 503, exit: 5, retryable: true },
  // Ours: the content differs from what was requested.
  DIGEST_MISMATCH: { status: 400, exit: 7 },
  SIZE_MISMATCH: { status: 400, exit: 7 },
  TOO_LARGE: { status: 413, exit: 7 },
  ARCHIVE_INVALID: { status: 400, exit: 7 },
  // Ours: invalid input of the caller.
  USAGE: { status: 400, exit: 2 },
  REFERENCE_INVALID: { status: 400, exit: 2 },
  CONFIG_INVALID: { status: 500, exit: 2 },
  // Ours: something is missing, or ocictl declines to do it.
  IMAGE_UNKNOWN: { status: 404, exit: 3 },
  PLATFORM_UNKNOWN: { status: 404, exit: 3 },
  FILE_UNKNOWN: { status: 404, exit: 3 },
  REFUSED: { status: 409, exit: 9 },
  NOT_MODIFIED: { status: 304, exit: 1 },
  PARTLY_FAILED: { status: 500, exit: 8 },
  UNTRUSTED: { status: 403, exit: 11 },
  // Ours: the connection to the registry.
  NETWORK: { status: 502, exit: 5, retryable: true },
  TIMEOUT: { status: 504, exit: 5, retryable: true },
  TLS: { status: 502, exit: 5 },
  PROTOCOL: { status: 502, exit: 5 },
  // Ours: the local disk.
  STORAGE: { status: 500, exit: 10 },
  STORAGE_FULL: { status: 507, exit: 10 },
  STORAGE_DENIED: { status: 500, exit: 10 },
  STORAGE_DAMAGED: { status: 500, exit: 10 },
  // Ours: cancelled by the user, and bugs.
  CANCELLED: { status: 499, exit: 130 },
  INTERNAL: { status: 500, exit: 1 },
} as const satisfies Record<string, CodeFacts>;

/** A stable error code; code branches on it, never on the message. */
export type ErrorCode = keyof typeof errorCodes;

export interface OciErrorOptions {
  /** What to do next, in one sentence. */
  readonly hint?: string | undefined;
  /** The error behind this one. */
  readonly cause?: unknown;
  /** Machine-readable detail, for the `detail` field of the spec's error body. */
  readonly detail?: unknown;
  /** HTTP status of the response, if the error came from a server. */
  readonly status?: number | undefined;
  /** Scheme, host and port of the endpoint that failed; never a path, query or credential. */
  readonly endpoint?: string | undefined;
  /** How long the registry asked to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Overrides whether the code is retryable, if the caller knows better. */
  readonly retryable?: boolean | undefined;
}

/** Every failure that ocictl reports. */
export class OciError extends Error {
  override readonly name = 'OciError';
  /** What programs branch on. */
  readonly code: ErrorCode;
  /** What to do next, in one sentence. */
  readonly hint: string | undefined;
  /** Machine-readable detail; its shape depends on the code. */
  readonly detail: unknown;
  /** HTTP status, if a server sent the error. */
  readonly status: number | undefined;
  /** Scheme, host and port of the endpoint that failed. */
  readonly endpoint: string | undefined;
  /** How long the registry asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Whether the same request may succeed later without any change. */
  readonly retryable: boolean;
  /** Whether a server reported the error, as opposed to this program. */
  readonly fromServer: boolean;

  constructor(code: ErrorCode, message: string, options: OciErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail;
    this.status = options.status;
    this.fromServer = options.status !== undefined;
    this.endpoint = options.endpoint;
    this.retryAfterMs = options.retryAfterMs;
    this.retryable = options.retryable ?? isRetryableCode(code);
  }
}

/** Whether a value is an {@link OciError}, of one of the given codes when any are given. */
export function isOciError(error: unknown, ...codes: ErrorCode[]): error is OciError {
  return error instanceof OciError && (codes.length === 0 || codes.includes(error.code));
}

/**
 * The value of a promise, or undefined if it fails with one of the codes.
 *
 * @param codes Default: MANIFEST_UNKNOWN and NAME_UNKNOWN.
 */
export async function unlessUnknown<T>(promise: Promise<T>, ...codes: readonly ErrorCode[]): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isOciError(error, ...(codes.length > 0 ? codes : (['MANIFEST_UNKNOWN', 'NAME_UNKNOWN'] as const))))
      return undefined;
    throw error;
  }
}

/** Whether a word that a registry sent is one of our codes. */
export function isErrorCode(word: string): word is ErrorCode {
  return typeof word === 'string' && Object.hasOwn(errorCodes, word);
}

/** The HTTP status for a code. @throws OciError USAGE for what is no code. */
export function statusOf(code: ErrorCode): number {
  if (!isErrorCode(code)) throw new OciError('USAGE', 'statusOf: the code must be one of errorCodes');
  return errorCodes[code].status;
}

/**
 * The process exit status for an error; 1 for anything that is not an {@link OciError}. An error that a server reported
 * is never a usage error: if it rejects a name or tag, the exit status is that of PROTOCOL.
 */
export function exitStatusOf(error: unknown): number {
  if (!(error instanceof OciError)) return 1;
  const { exit } = errorCodes[error.code];
  return exit === errorCodes.USAGE.exit && error.fromServer ? errorCodes.PROTOCOL.exit : exit;
}

function isRetryableCode(code: ErrorCode): boolean {
  const facts: CodeFacts = errorCodes[code];
  return facts.retryable === true;
}
