import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsKeys } from '../../../aws/keys.ts';
import { queryText, signedHeaders, signedUrl } from '../../../aws/signature.ts';
import { isOciError, type OciError } from '../../../model/errors.ts';
import type { UrlOptions } from '../../driver.ts';
import { baseOf, encodedPath, faultIn, isEndedToken, isExpected, regionOf, single } from './answers.ts';
import { connectionFailure, isForLater, notS3, type S3Fault, s3Failure } from './failures.ts';
import type { S3Answer, S3Keys, S3Request, S3Send, S3Settings } from './settings.ts';
import { type Element, tryParseXml } from './xml.ts';

interface S3ConnectionOptions {
  readonly settings: S3Settings;
  readonly send: S3Send;
  readonly keys: S3Keys;
  /** Waits before a repetition. Default: up to 400 ms, then twice as long each time. @param failures From 1. */
  readonly pause?: ((failures: number) => Promise<unknown>) | undefined;
  /** Called once with each problem that does not keep requests from being answered. */
  readonly warn: (text: string) => void;
}

/** One operation of the interface. */
export interface S3Call {
  readonly method: S3Request['method'];
  /** Of the object, without the prefix; undefined: the bucket. */
  readonly key?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | undefined;
  /** For messages: `read a/b`. */
  readonly action: string;
  /** Answers that the caller knows how to take: statuses, or codes as `NoSuchKey`. Others are errors. */
  readonly expects?: readonly (number | string)[];
  /**
   * Whether it may be sent again after a failure that may have come after the operation. Default true; if false, it is
   * sent again by the caller, who then knows about it.
   */
  readonly repeatable?: boolean | undefined;
  readonly large?: boolean | undefined;
  readonly moreTimeMs?: number | undefined;
}

/** A success, or an answer that was expected. */
export type S3Result =
  | { readonly ok: true; readonly answer: S3Answer }
  | { readonly ok: false; readonly fault: S3Fault; readonly answer: S3Answer };

const maxFaultBytes = 64 * 1024;
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** Larger bodies are not hashed for the signature: they are blobs and manifests, which readers check with their digest. */
const maxHashedBytes = 1024 * 1024;
/** A smaller difference is one of requests that were sent together. */
const toldSkewMs = 60_000;
const attempts = 4;
/** For how long a bucket that was there counts as there. */
const bucketKnownMs = 5_000;
/** The longest time that a signed URL may be valid. */
const maxUrlSeconds = 7 * 24 * 60 * 60;

/**
 * Signed requests to one bucket. Repeats what ended because keys had ended or clocks differ, and turns faults into errors.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export class S3Connection {
  readonly settings: S3Settings;
  /** For messages: `s3://bucket/prefix`. */
  readonly name: string;
  readonly #options: S3ConnectionOptions;
  readonly #base: URL;
  #clockOffsetMs = 0;
  /** When the bucket was there, as an answer showed. */
  #seenAtMs = Number.NEGATIVE_INFINITY;
  #seeing: Promise<void> | undefined;

  constructor(options: S3ConnectionOptions) {
    const { bucket, prefix, endpoint, pathStyle } = options.settings;
    this.settings = options.settings;
    this.#options = options;
    this.name = `s3://${[bucket, prefix].filter(Boolean).join('/')}`;
    this.#base = baseOf(endpoint, bucket, pathStyle);
  }

  /** Waits before a repetition. */
  async pause(failures: number): Promise<void> {
    const { pause = () => sleep(Math.random() * 200 * 2 ** failures) } = this.#options;
    await pause(failures);
  }

  /** The key of a path below the prefix. Keys never begin with a slash. */
  key(path: string): string {
    const { prefix } = this.settings;
    return prefix === '' ? path : `${prefix}/${path}`;
  }

  /** @throws OciError as {@link s3Failure} and {@link connectionFailure} say. */
  async call(call: S3Call): Promise<S3Result> {
    let refused: AwsKeys | undefined;
    for (let [skewed, conflicts] = [false, 1]; ; ) {
      const { answer, keys } = await this.#once(call, refused);
      const { status } = answer;
      if (status < 300) {
        this.#seenAtMs = performance.now();
        return { ok: true, answer };
      }
      const fault = await this.#fault(call, answer);
      if (isExpected(fault, call.expects)) {
        if (call.method === 'HEAD' && status === 404) await this.#seeBucket(call.action);
        return { ok: false, fault, answer };
      }
      if (isEndedToken(fault) && refused === undefined) {
        refused = keys;
      } else if (fault.code === 'RequestTimeTooSkewed' && !skewed && this.#takeTime(answer)) {
        skewed = true;
      } else if (status === 409 && isForLater(fault) && call.repeatable !== false && conflicts < attempts) {
        await this.pause(conflicts);
        conflicts += 1;
      } else throw this.failure(fault, call.action);
    }
  }

  /**
   * Calls something that must not be done twice. After a failure that may have come after it was done, it is done again, and
   * `again` is true. Undefined if it is there by then: a store that refuses a body early may close the connection, and the
   * refusal is lost.
   */
  callOnce(call: S3Call): Promise<S3Result & { readonly again: boolean }>;
  callOnce(
    call: S3Call,
    isThere: () => Promise<boolean>,
  ): Promise<(S3Result & { readonly again: boolean }) | undefined>;
  async callOnce(
    call: S3Call,
    isThere?: () => Promise<boolean>,
  ): Promise<(S3Result & { readonly again: boolean }) | undefined> {
    for (let [failures, again] = [0, false]; ; ) {
      try {
        return { ...(await this.call({ ...call, repeatable: false })), again };
      } catch (error) {
        failures += 1;
        if (!isOciError(error, 'UNAVAILABLE') || failures === attempts) throw error;
        again = true;
        await this.pause(failures);
        if (await isThere?.()) return undefined;
      }
    }
  }

  /** The headers of a request that makes an object. */
  get newObject(): Readonly<Record<string, string>> {
    const { storageClass, encryption, acl } = this.settings;
    return {
      'content-type': 'application/octet-stream',
      ...(storageClass !== undefined && { 'x-amz-storage-class': storageClass }),
      ...(encryption && { 'x-amz-server-side-encryption': encryption.algorithm }),
      ...(encryption?.keyId !== undefined && { 'x-amz-server-side-encryption-aws-kms-key-id': encryption.keyId }),
      ...(acl !== undefined && { 'x-amz-acl': acl }),
    };
  }

  /** The document of an answer. @throws OciError STORAGE for another one. */
  async document(
    answer: S3Answer,
    root: string,
    { action, maxBytes }: { action: string; maxBytes: number },
  ): Promise<Element> {
    const bytes = await this.read(answer, maxBytes, action);
    const found = tryParseXml(bytes);
    if (found?.name === root) return found;
    if (found?.name === 'Error') throw this.failure(faultIn(found, answer), action);
    throw notS3(this.#about(action), found === undefined ? 'something else than XML' : 'another document');
  }

  /** The body of an answer. */
  async read(answer: Pick<S3Answer, 'body'>, maxBytes: number, action: string): Promise<Uint8Array> {
    try {
      return await answer.body.bytes(maxBytes);
    } catch (error) {
      throw connectionFailure(error, { store: this.name, action });
    }
  }

  failure(fault: S3Fault, action: string): OciError {
    return s3Failure(fault, this.#about(action));
  }

  /** The error for an answer that S3 would not give. */
  strange(action: string, why: string): OciError {
    return notS3(this.#about(action), why);
  }

  /** A URL that can be read without keys. */
  async url(key: string, { validMs, origin }: UrlOptions): Promise<URL> {
    const { region, bucket, pathStyle } = this.settings;
    const base = origin === undefined ? this.#base : baseOf(new URL(origin), bucket, pathStyle);
    const keys = await this.#options.keys({ leastMs: validMs });
    const expiresInSeconds = Math.min(maxUrlSeconds, Math.ceil(validMs / 1000));
    const request = { method: 'GET', url: new URL(base.href + encodedPath(key)) };
    return await signedUrl(request, { keys, region, service: 's3', date: this.#now(), expiresInSeconds });
  }

  #now(): Date {
    return new Date(Date.now() + this.#clockOffsetMs);
  }

  #about(action: string) {
    const { bucket, region } = this.settings;
    return { store: this.name, host: this.#base.host, bucket, region, action };
  }

  async #once(call: S3Call, refused?: AwsKeys): Promise<{ readonly answer: S3Answer; readonly keys: AwsKeys }> {
    const { method, key, query = {}, headers, body, action, repeatable = true, large, moreTimeMs } = call;
    const url = new URL(this.#base.href + (key === undefined ? '' : encodedPath(key)));
    const keys = await this.#options.keys({ refused });
    const signed = await signedHeaders(
      { method, url, query, headers: { ...headers, 'x-amz-content-sha256': hashOf(body) } },
      { keys, region: this.settings.region, service: 's3', date: this.#now() },
    );
    url.search = queryText(query);
    try {
      const how = { takesRedirects: true, idempotent: repeatable, large, moreTimeMs } as const;
      return { answer: await this.#options.send({ method, url, ...signed, body, ...how }), keys };
    } catch (error) {
      throw connectionFailure(error, { store: this.name, action });
    }
  }

  async #fault(call: S3Call, answer: S3Answer): Promise<S3Fault> {
    const { status } = answer;
    const bare = { status, code: undefined, text: undefined, region: regionOf(answer) };
    if (call.method === 'HEAD') {
      await answer.body.discard();
      // A HEAD says "no" without a reason. The same as a GET tells it.
      if (status === 404 || isForLater(bare) || call.expects?.includes(status)) return bare;
      const range = { ...call.headers, range: 'bytes=0-0' };
      const { answer: again } = await this.#once({ ...call, method: 'GET', headers: range });
      return again.status < 300 ? await discarded(again, bare) : await this.#fault({ ...call, method: 'GET' }, again);
    }
    const bytes = await answer.body.bytes(maxFaultBytes).catch(() => new Uint8Array(0));
    const document = tryParseXml(bytes);
    if (document?.name === 'Error') return faultIn(document, answer);
    if (status < 500 && status !== 429 && bytes.length > 0)
      throw notS3(this.#about(call.action), `${status} and something else than XML`);
    return bare;
  }

  // A HEAD in a bucket that is gone has the same answer as that for an object that is gone.
  async #seeBucket(action: string): Promise<void> {
    if (performance.now() - this.#seenAtMs < bucketKnownMs) return;
    const query = { 'list-type': '2', 'max-keys': '1', prefix: this.key('') };
    this.#seeing ??= this.call({ method: 'GET', query, action, expects: [403] })
      .then(({ answer }) => answer.body.discard())
      .finally(() => {
        this.#seeing = undefined;
      });
    await this.#seeing;
  }

  #takeTime(answer: S3Answer): boolean {
    const date = Date.parse(single(answer, 'date') ?? '');
    if (Number.isNaN(date)) return false;
    const offsetMs = date - Date.now();
    const isNew = Math.abs(offsetMs - this.#clockOffsetMs) > toldSkewMs;
    this.#clockOffsetMs = offsetMs;
    if (!isNew) return true;
    const minutes = Math.round(Math.abs(offsetMs) / 60_000);
    const side = offsetMs > 0 ? 'behind' : 'ahead of';
    this.#options.warn(
      `the clock of this machine is ${minutes} minutes ${side} that of ${this.#base.host}, whose time is used to sign requests`,
    );
    return true;
  }
}

function hashOf(body: Uint8Array | undefined): string {
  if (body === undefined) return emptyHash;
  return body.length > maxHashedBytes ? 'UNSIGNED-PAYLOAD' : createHash('sha256').update(body).digest('hex');
}

async function discarded<T>(answer: S3Answer, value: T): Promise<T> {
  await answer.body.discard();
  return value;
}
