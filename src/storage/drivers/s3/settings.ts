import type { AwsKeys } from '../../../aws/keys.ts';

/** Where objects are in a store with the interface of S3, and how they are put there. */
export interface S3Settings {
  readonly bucket: string;
  /** Of all keys, without slashes around it; empty for the whole bucket. */
  readonly prefix: string;
  /** http(s)://host[:port][/path]; without the bucket. */
  readonly endpoint: URL;
  readonly region: string;
  /** Whether the bucket is the first part of the path; otherwise it is the first part of the host. */
  readonly pathStyle: boolean;
  /** Of objects that are put, as `STANDARD_IA`. Default: the bucket's. */
  readonly storageClass?: string | undefined;
  /** Encryption by the store. Default: the bucket's. */
  readonly encryption?: { readonly algorithm: 'AES256' | 'aws:kms'; readonly keyId?: string | undefined } | undefined;
  /** A canned ACL, as `bucket-owner-full-control`. Default: none is sent, since many buckets refuse any. */
  readonly acl?: string | undefined;
  /** Size of the parts of uploads, in bytes. At least 5 MiB. */
  readonly chunkBytes: number;
  /** Objects of more than two such parts are copied in parts, in bytes. Default 512 MiB. */
  readonly copyPartBytes?: number | undefined;
}

/**
 * The keys that requests are signed with.
 *
 * @param options.refused Those that were refused because they had ended: others are looked for, unless they are known.
 * @param options.leastMs For how long they should still be valid.
 * @throws OciError CONFIG_INVALID if there are none.
 */
export type S3Keys = (options?: {
  readonly refused?: AwsKeys | undefined;
  readonly leastMs?: number;
}) => Promise<AwsKeys>;

/** A signed request. */
export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly authorization: string;
  readonly body?: Uint8Array | undefined;
  /** A redirect is an answer: another host must neither get the session token nor say what the store holds. */
  readonly takesRedirects: true;
  /** Whether it may be sent again after a failure. */
  readonly idempotent: boolean;
  /** Whether a large body is expected. */
  readonly large?: boolean | undefined;
  /** Additional time until the answer's headers, in milliseconds. */
  readonly moreTimeMs?: number | undefined;
}

export interface S3Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: {
    /** Writes the rest into a sink, which may use a chunk until its promise resolves. */
    drainTo(sink: { write(chunk: Uint8Array): Promise<void> }): Promise<void>;
    /** @throws OciError TOO_LARGE */
    bytes(maxBytes: number): Promise<Uint8Array>;
    /** Reads a short rest, so that the connection can be reused. Never fails. */
    discard(): Promise<void>;
    /** Ends the reading. Idempotent. */
    cancel(): Promise<void>;
  };
}

/** Sends requests, with bounds on time and repetitions. @throws OciError NETWORK, TIMEOUT, TLS, … as the transport's. */
export type S3Send = (request: S3Request) => Promise<S3Answer>;
