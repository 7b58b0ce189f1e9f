/**
 * The operations of S3 that a driver needs. Paths are keys below the prefix of the settings.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
import { OciError } from '../../../model/errors.ts';
import type { ByteRange } from '../../../registry/registry.ts';
import type { UrlOptions } from '../../driver.ts';
import { encodedPath, single } from './answers.ts';
import type { S3Connection } from './connection.ts';
import { listObjects, type S3List, type S3ListOptions } from './list.ts';
import {
  abortMultipart,
  completeMultipart,
  copyPart,
  createMultipart,
  etagOf,
  listMultipartUploads,
  listParts,
  type S3CopiedPart,
  type S3Part,
  type S3PendingUpload,
  type S3Upload,
  uploadPart,
} from './multipart.ts';
import type { S3Answer } from './settings.ts';

/** An object that is there. */
export interface S3Object {
  /** Bytes of the whole object. */
  readonly size: number;
  /** In whole seconds, by the store's clock. */
  readonly storedAt: Date;
  /** With its quotes. It changes with the content. */
  readonly etag: string;
}

interface S3OpenOptions {
  /** It begins within the object. */
  readonly range?: ByteRange | undefined;
  /** Only while it has this ETag. */
  readonly ifMatch?: string | undefined;
}

export interface S3Client {
  readonly connection: S3Connection;
  /** Undefined if there is none. */
  head(path: string): Promise<S3Object | undefined>;
  /** Reads a small object. @throws OciError TOO_LARGE past `maxBytes`. */
  get(path: string, maxBytes: number): Promise<(S3Object & { readonly bytes: Uint8Array }) | undefined>;
  /**
   * Begins to read an object. The caller reads or cancels the body.
   *
   * @returns Undefined if there is none, or one that is not wanted. @throws OciError RANGE_INVALID for a range behind its end.
   */
  open(path: string, options?: S3OpenOptions): Promise<(S3Object & { readonly body: S3Answer['body'] }) | undefined>;
  /** Creates or replaces an object. @returns Its ETag. */
  put(path: string, bytes: Uint8Array): Promise<string>;
  /**
   * Creates an object unless there is one. @returns `exists` if there was one; `perhaps` if there is one, but an attempt
   * of this call, whose answer was lost, may have created it.
   */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists' | 'perhaps'>;
  /** Deletes an object, if there is one. @param options.ifMatch Only while it has this ETag. @returns False if it has another. */
  delete(path: string, options?: { readonly ifMatch?: string | undefined }): Promise<boolean>;
  /** Copies an object of up to 5 GiB. @returns False if there is none at `from`. */
  copy(from: string, to: string): Promise<boolean>;
  /** A page of keys below a prefix, in the order of their bytes. */
  list(options: S3ListOptions): Promise<S3List>;
  /** Begins an object that is made of parts. It is not there before it is completed. @returns The id of the upload. */
  createMultipart(path: string): Promise<string>;
  /** Writes a part, or replaces it. Each but the last has at least 5 MiB. @returns Undefined if the upload is gone. */
  uploadPart(upload: S3Upload, number: number, bytes: Uint8Array): Promise<S3Part | undefined>;
  /** Makes a part of bytes of an object. @returns Undefined if the upload is gone, or the object is gone or another. */
  copyPart(upload: S3Upload, number: number, from: S3CopiedPart): Promise<S3Part | undefined>;
  /** The parts of an upload, by number. @returns Undefined if it is gone. */
  listParts(upload: S3Upload): Promise<readonly S3Part[] | undefined>;
  /** Unfinished uploads below a prefix. Some stores list only those of the exact key, or none. */
  listMultipartUploads(prefix: string): AsyncIterable<S3PendingUpload>;
  /**
   * Makes an object of its parts.
   *
   * @param options.ifAbsent Only if there is no object at its key.
   * @returns `gone` if the upload is, which it also is if an attempt of this call, whose answer was lost, completed it; or
   * if its parts are others by now.
   */
  completeMultipart(
    upload: S3Upload,
    parts: readonly S3Part[],
    options?: { readonly ifAbsent?: boolean },
  ): Promise<'completed' | 'exists' | 'gone'>;
  /** Discards an upload with its parts. Does nothing if it is gone. */
  abortMultipart(upload: S3Upload): Promise<void>;
  /** A URL that can be read without keys for a time. */
  url(path: string, options: UrlOptions): Promise<string>;
}

/** The largest object that one request can copy. */
export const maxCopyBytes = 5 * 1024 ** 3;
const copyTimeMs = 10 * 60_000;
/** A body up to this size is sent whole before an answer can come. */
const refusedEarlyBytes = 64 * 1024;

export function createS3Client(connection: S3Connection): S3Client {
  return {
    connection,

    head: (path) => head(connection, path),

    async get(path, maxBytes) {
      const found = await open(connection, path, { large: false });
      if (found === undefined) return undefined;
      const { body, ...object } = found;
      if (object.size > maxBytes) {
        await body.cancel();
        throw new OciError('TOO_LARGE', `${path} has ${object.size} bytes, more than the ${maxBytes} allowed`);
      }
      return { ...object, bytes: await connection.read({ body }, object.size, `read ${path}`) };
    },

    open: (path, options = {}) => open(connection, path, options),

    async put(path, bytes) {
      const headers = connection.newObject;
      const put = { method: 'PUT', key: connection.key(path), headers, body: bytes, action: `write ${path}` } as const;
      const { answer } = await connection.call(put);
      await answer.body.discard();
      return etagOf(connection, answer, put.action);
    },

    async putIfAbsent(path, bytes) {
      const headers = { ...connection.newObject, 'if-none-match': '*' };
      const put = { method: 'PUT', key: connection.key(path), headers, body: bytes, action: `write ${path}` } as const;
      const isThere = async (): Promise<boolean> =>
        bytes.length > refusedEarlyBytes && (await head(connection, path)) !== undefined;
      const result = await connection.callOnce({ ...put, expects: [412] }, isThere);
      if (result === undefined) return 'perhaps';
      await result.answer.body.discard();
      if (result.ok) etagOf(connection, result.answer, put.action);
      if (result.ok) return 'created';
      return result.again ? 'perhaps' : 'exists';
    },

    async delete(path, { ifMatch } = {}) {
      const headers = ifMatch === undefined ? undefined : { 'if-match': ifMatch };
      const call = { method: 'DELETE', key: connection.key(path), headers, action: `delete ${path}` } as const;
      const { ok, fault, answer } = { fault: undefined, ...(await connection.call({ ...call, expects: [404, 412] })) };
      await answer.body.discard();
      return ok || fault?.status === 404;
    },

    async copy(from, to) {
      const { bucket } = connection.settings;
      const headers = {
        ...connection.newObject,
        'x-amz-copy-source': encodedPath(`${bucket}/${connection.key(from)}`),
      };
      const call = { method: 'PUT', key: connection.key(to), headers, action: `copy ${from}` } as const;
      const result = await connection.call({ ...call, expects: ['NoSuchKey', 404], moreTimeMs: copyTimeMs });
      if (!result.ok) return false;
      // S3 answers 200 before it has copied, and tells a failure in the body.
      await connection.document(result.answer, 'CopyObjectResult', { action: call.action, maxBytes: 64 * 1024 });
      return true;
    },

    list: (options) => listObjects(connection, options),
    createMultipart: (path) => createMultipart(connection, path),
    uploadPart: (...args) => uploadPart(connection, ...args),
    copyPart: (...args) => copyPart(connection, ...args),
    listParts: (upload) => listParts(connection, upload),
    listMultipartUploads: (prefix) => listMultipartUploads(connection, prefix),
    completeMultipart: (...args) => completeMultipart(connection, ...args),
    abortMultipart: (upload) => abortMultipart(connection, upload),

    url: async (path, options) => (await connection.url(connection.key(path), options)).href,
  };
}

async function head(connection: S3Connection, path: string): Promise<S3Object | undefined> {
  const action = `look at ${path}`;
  const result = await connection.call({ method: 'HEAD', key: connection.key(path), action, expects: [404] });
  await result.answer.body.discard();
  return result.ok ? objectOf(connection, result.answer, action) : undefined;
}

async function open(
  connection: S3Connection,
  path: string,
  { range, ifMatch, large = true }: S3OpenOptions & { readonly large?: boolean },
): Promise<(S3Object & { readonly body: S3Answer['body'] }) | undefined> {
  const action = `read ${path}`;
  const bytes = range && `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`;
  const headers = {
    ...(bytes !== undefined && { range: bytes }),
    ...(ifMatch !== undefined && { 'if-match': ifMatch }),
  };
  const call = { method: 'GET', key: connection.key(path), headers, action, large } as const;
  const result = await connection.call({ ...call, expects: ['NoSuchKey', 412, 416] });
  const { answer } = result;
  if (answer.status === 416) throw new OciError('RANGE_INVALID', `${path} ends before ${range?.start}`);
  if (!result.ok) return undefined;
  try {
    if (range !== undefined && firstByteOf(answer) !== range.start) {
      throw connection.strange(action, 'other bytes than those that were asked for');
    }
    return { ...objectOf(connection, answer, action), body: answer.body };
  } catch (error) {
    await answer.body.cancel();
    throw error;
  }
}

/** A store, or a proxy before it, that does not know ranges answers with the whole object. */
function firstByteOf(answer: S3Answer): number {
  return Number(/^bytes (\d+)-/.exec(single(answer, 'content-range') ?? '')?.[1] ?? 0);
}

/** @throws OciError STORAGE for an answer that describes no object, as that of a web server. */
function objectOf(connection: S3Connection, answer: S3Answer, action: string): S3Object {
  const etag = single(answer, 'etag');
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(single(answer, 'content-range') ?? '')?.[1];
  const size = total ?? single(answer, 'content-length');
  const date = Date.parse(single(answer, 'last-modified') ?? '');
  if (etag === undefined || size === undefined || !/^\d{1,15}$/.test(size) || Number.isNaN(date)) {
    throw connection.strange(action, 'a page that describes no object');
  }
  return { size: Number(size), storedAt: new Date(date), etag };
}
