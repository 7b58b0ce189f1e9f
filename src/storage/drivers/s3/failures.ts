/** What answers of a store mean that are neither success nor a plain "no". They are documented in docs/serving.md. */
import { type ErrorCode, isOciError, OciError } from '../../../model/errors.ts';
import { quote } from '../../../model/quote.ts';

/** An error that a store has told. */
export interface S3Fault {
  readonly status: number;
  /** `NoSuchKey`; undefined if the answer had no readable body, as after a HEAD. */
  readonly code: string | undefined;
  /** The store's own words. */
  readonly text: string | undefined;
  /** Where the bucket is, if the store says that it is elsewhere. */
  readonly region: string | undefined;
}

interface About {
  /** `s3://bucket/prefix`. */
  readonly store: string;
  /** host[:port] */
  readonly host: string;
  readonly bucket: string;
  /** The region that requests are signed for. */
  readonly region: string;
  /** `read docker/registry/v2/…`. */
  readonly action: string;
}

type Prose = readonly [code: ErrorCode, text: string, hint: string];

const permissions = 'give the key the permissions that docs/serving.md lists for a bucket';
const retryLater = 'the store is busy or ill; try again later';

const known: Readonly<Record<string, Prose>> = {
  NoSuchBucket: [
    'STORAGE',
    'there is no such bucket',
    'make it first, or correct its name, the region or the endpoint',
  ],
  AccessDenied: ['STORAGE_DENIED', 'the key may not do that', permissions],
  AllAccessDisabled: ['STORAGE_DENIED', 'the bucket is disabled', 'ask the owner of the account'],
  AccountProblem: ['STORAGE_DENIED', 'the account has a problem', 'ask the owner of the account'],
  InvalidAccessKeyId: ['STORAGE_DENIED', 'the store does not know the access key', 'check $AWS_ACCESS_KEY_ID'],
  SignatureDoesNotMatch: [
    'STORAGE_DENIED',
    'the secret key is wrong, or something on the way changes requests',
    'check $AWS_SECRET_ACCESS_KEY, and the region',
  ],
  ExpiredToken: ['STORAGE_DENIED', 'the session token has ended', 'renew the keys'],
  InvalidToken: ['STORAGE_DENIED', 'the session token is not valid', 'check $AWS_SESSION_TOKEN'],
  RequestTimeTooSkewed: ['STORAGE_DENIED', 'the clocks differ too much', 'set the clock of this machine'],
  QuotaExceeded: ['STORAGE_FULL', 'the quota of the bucket is used up', 'make room there, or raise the quota'],
  XMinioStorageFull: ['STORAGE_FULL', 'the store has no space left', 'make room there'],
  NotImplemented: [
    'STORAGE',
    'the store does not implement this',
    'leave out the parameter of --root that asks for it',
  ],
};

const sameAs: Readonly<Record<string, keyof typeof known>> = {
  TokenRefreshRequired: 'ExpiredToken',
  ExpiredTokenException: 'ExpiredToken',
  RequestExpired: 'RequestTimeTooSkewed',
  XMinioAdminBucketQuotaExceeded: 'QuotaExceeded',
  EntityTooLargeForQuota: 'QuotaExceeded',
  InsufficientCapacity: 'XMinioStorageFull',
  Forbidden: 'AccessDenied',
  XAdminUserNotFound: 'InvalidAccessKeyId',
};

/** Whether the same request may succeed later. */
export function isForLater({ status, code }: Pick<S3Fault, 'status' | 'code'>): boolean {
  return status === 429 || status === 500 || (status >= 502 && status <= 504) || laterCodes.has(code ?? '');
}

/**
 * The last three are 409s: another write of the key was under way; or, in a store that keeps objects as files, the directory
 * at the key has just lost its last one.
 */
const laterCodes: ReadonlySet<string> = new Set([
  'SlowDown',
  'InternalError',
  'ServiceUnavailable',
  'RequestTimeout',
  'ConditionalRequestConflict',
  'OperationAborted',
  'ExistingObjectIsDirectory',
]);

/**
 * STORAGE_DENIED for keys and permissions, STORAGE_FULL for quotas, UNAVAILABLE for what may pass, STORAGE for anything
 * else. The message has the name of the store and the key, and no secret.
 */
export function s3Failure(fault: S3Fault, { store, host, bucket, region: signedFor, action }: About): OciError {
  const { status, code, region } = fault;
  const told = code === undefined ? `${status}` : visibleCode(code);
  const what = `${store}: cannot ${action}`;
  if (region !== undefined && region !== signedFor && status !== 403) {
    const hint = `write region=${region} in --root`;
    return new OciError('STORAGE', `${what}: the bucket ${bucket} is in the region ${region}`, { hint });
  }
  if (status === 507) return failure('XMinioStorageFull');
  const name = code === undefined ? (status === 403 ? 'AccessDenied' : '') : (sameAs[code] ?? code);
  if (Object.hasOwn(known, name)) return failure(name);
  if (isForLater(fault)) {
    return new OciError('UNAVAILABLE', `${what}: ${host} answers ${told}`, { hint: retryLater });
  }
  const words = fault.text ? `${told}, ${quote(withoutSignature(fault.text), 200)}` : told;
  return new OciError('STORAGE', `${what}: ${host} answers ${words}`, {
    hint: 'check what --root says of the store, and whether it has the interface of S3',
  });

  function failure(entry: string): OciError {
    const [ours, text, hint] = known[entry] as Prose;
    return new OciError(ours, `${what}: ${text} (${told})`, { hint });
  }
}

// Some stores, and proxies before them, repeat the header that they refuse.
function withoutSignature(text: string): string {
  return text.replace(/\b(Signature|Credential|X-Amz-[\w-]+)(["']?\s*[:=]\s*["']?)[^\s,;&"'<]+/gi, '$1$2…');
}

function visibleCode(code: string): string {
  return /^\w{1,60}$/.test(code) ? code : quote(code, 60);
}

/** The error for something that no store with the interface of S3 says. */
export function notS3({ store, host, action }: About, why: string, cause?: unknown): OciError {
  return new OciError('STORAGE', `${store}: cannot ${action}: ${host} answers with ${why}`, {
    cause,
    hint: 'check the endpoint: a store with the interface of S3 must be there, and no web page',
  });
}

/** The failure of a transport, in terms of the store. Other errors are returned unchanged. */
export function connectionFailure(cause: unknown, { store, action }: Pick<About, 'store' | 'action'>): unknown {
  if (!isOciError(cause)) return cause;
  const text = `${store}: cannot ${action}: ${cause.message}`;
  if (cause.code === 'TLS' || cause.code === 'PROTOCOL') {
    const hint = cause.code === 'TLS' ? cause.hint : 'check the endpoint';
    return new OciError('STORAGE', text, { cause, hint, retryable: false });
  }
  if (isOciError(cause, 'NETWORK', 'TIMEOUT', 'UNAVAILABLE', 'TOOMANYREQUESTS', 'UNKNOWN')) {
    const hint = 'check that the store runs, the endpoint, and the network';
    return new OciError('UNAVAILABLE', text, { cause, hint, retryAfterMs: cause.retryAfterMs });
  }
  return cause;
}
