/**
 * Objects that are made of parts. The key of such an object is not there before it is completed.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
import { encodedPath, single } from './answers.ts';
import type { S3Call, S3Connection, S3Result } from './connection.ts';
import type { S3Answer } from './settings.ts';
import { type Element, escapeXml } from './xml.ts';

/** Names one of the uploads of a key. */
export interface S3Upload {
  readonly path: string;
  readonly uploadId: string;
}

export interface S3Part {
  /** From 1 to 10,000. */
  readonly number: number;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Known of listed parts. */
  readonly storedAt?: Date;
}

/** Bytes of another object. */
export interface S3CopiedPart {
  readonly path: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Only while the object has this ETag. */
  readonly ifMatch?: string | undefined;
}

export interface S3PendingUpload extends S3Upload {
  readonly startedAt: Date;
}

const maxDocumentBytes = 8 * 1024 * 1024;
const completionTimeMs = 10 * 60_000;

export async function createMultipart(connection: S3Connection, path: string): Promise<string> {
  const action = `begin to write ${path}`;
  const { answer } = await connection.callOnce({
    method: 'POST',
    key: connection.key(path),
    query: { uploads: '' },
    headers: connection.newObject,
    action,
  });
  const result = await connection.document(answer, 'InitiateMultipartUploadResult', { action, maxBytes: 64 * 1024 });
  const uploadId = result.value('UploadId');
  if (!uploadId) throw connection.strange(action, 'no id of an upload');
  return uploadId;
}

/**
 * Writes a part, or replaces it. A store that refuses it before it has read it may close the connection, and the refusal is
 * lost: then it is asked for the upload.
 *
 * @returns Undefined if the upload is gone.
 */
export async function uploadPart(
  connection: S3Connection,
  { path, uploadId }: S3Upload,
  number: number,
  bytes: Uint8Array,
): Promise<S3Part | undefined> {
  const action = `write a part of ${path}`;
  const call: S3Call = {
    method: 'PUT',
    key: connection.key(path),
    query: { partNumber: String(number), uploadId },
    body: bytes,
    action,
    expects: ['NoSuchUpload'],
  };
  const isGone = async (): Promise<boolean> => (await listParts(connection, { path, uploadId })) === undefined;
  const result = await connection.callOnce(call, isGone);
  if (result === undefined) return undefined;
  await result.answer.body.discard();
  return result.ok ? { number, etag: etagOf(connection, result.answer, action), size: bytes.length } : undefined;
}

/**
 * Makes a part of bytes of another object.
 *
 * @returns Undefined if the upload is gone, or the object is gone or another.
 */
export async function copyPart(
  connection: S3Connection,
  { path, uploadId }: S3Upload,
  number: number,
  from: S3CopiedPart,
): Promise<S3Part | undefined> {
  const action = `copy a part of ${from.path}`;
  const result = await connection.call({
    method: 'PUT',
    key: connection.key(path),
    query: { partNumber: String(number), uploadId },
    headers: {
      'x-amz-copy-source': encodedPath(`${connection.settings.bucket}/${connection.key(from.path)}`),
      'x-amz-copy-source-range': `bytes=${from.start}-${from.end - 1}`,
      ...(from.ifMatch !== undefined && { 'x-amz-copy-source-if-match': from.ifMatch }),
    },
    action,
    expects: ['NoSuchUpload', 'NoSuchKey', 412],
    moreTimeMs: completionTimeMs,
  });
  if (!result.ok) return undefined;
  const copied = await connection.document(result.answer, 'CopyPartResult', { action, maxBytes: 64 * 1024 });
  return { number, etag: copied.value('ETag') ?? '', size: from.end - from.start };
}

/** The parts of an upload, by number. @returns Undefined if it is gone. */
export async function listParts(
  connection: S3Connection,
  { path, uploadId }: S3Upload,
): Promise<readonly S3Part[] | undefined> {
  const action = `list the parts of ${path}`;
  const parts: S3Part[] = [];
  for (let marker = '0'; ; ) {
    const result = await connection.call({
      method: 'GET',
      key: connection.key(path),
      query: { uploadId, 'part-number-marker': marker },
      action,
      expects: ['NoSuchUpload'],
    });
    if (!result.ok) return undefined;
    const list = await connection.document(result.answer, 'ListPartsResult', { action, maxBytes: maxDocumentBytes });
    for (const part of list.all('Part')) {
      const [number, size] = [Number(part.value('PartNumber')), Number(part.value('Size'))];
      const storedAt = new Date(part.value('LastModified') ?? '');
      parts.push({ number, size, etag: part.value('ETag') ?? '', storedAt });
    }
    const next = list.value('NextPartNumberMarker') ?? '';
    if (list.value('IsTruncated') !== 'true' || !(Number(next) > Number(marker))) return parts;
    marker = next;
  }
}

/** Unfinished uploads below a prefix. Some stores list only those of the exact key, or none. */
export async function* listMultipartUploads(connection: S3Connection, prefix: string): AsyncGenerator<S3PendingUpload> {
  const action = `list the unfinished uploads below ${prefix}`;
  const start = connection.key('');
  for (let marker: Readonly<Record<string, string>> = {}; ; ) {
    const query = { uploads: '', prefix: connection.key(prefix), ...marker };
    const { answer } = await connection.call({ method: 'GET', query, action });
    const document = await connection.document(answer, 'ListMultipartUploadsResult', {
      action,
      maxBytes: maxDocumentBytes,
    });
    for (const upload of document.all('Upload')) {
      const [key = '', uploadId = ''] = [upload.value('Key'), upload.value('UploadId')];
      const startedAt = new Date(upload.value('Initiated') ?? '');
      if (key.startsWith(start) && uploadId !== '') yield { path: key.slice(start.length), uploadId, startedAt };
    }
    const next = markerOf(document);
    if (document.value('IsTruncated') !== 'true' || next === undefined || isSame(next, marker)) return;
    marker = next;
  }
}

/**
 * Makes an object of its parts.
 *
 * @param options.ifAbsent Only if there is no object at its key.
 * @returns `gone` if the upload is, which it also is if an attempt of this call, whose answer was lost, has completed it;
 * or if its parts are others by now.
 */
export async function completeMultipart(
  connection: S3Connection,
  { path, uploadId }: S3Upload,
  parts: readonly S3Part[],
  { ifAbsent = false }: { readonly ifAbsent?: boolean } = {},
): Promise<'completed' | 'exists' | 'gone'> {
  const action = `complete ${path}`;
  const listed = parts.map(({ number, etag }) => {
    return `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`;
  });
  const xmlns = 'http://s3.amazonaws.com/doc/2006-03-01/';
  const text = `<CompleteMultipartUpload xmlns="${xmlns}">${listed.join('')}</CompleteMultipartUpload>`;
  const call: S3Call = {
    method: 'POST',
    key: connection.key(path),
    query: { uploadId },
    headers: { 'content-type': 'application/xml', ...(ifAbsent && { 'if-none-match': '*' }) },
    body: Buffer.from(text),
    action,
    expects: ['NoSuchUpload', 'InvalidPart', 412],
    moreTimeMs: completionTimeMs,
  };
  const result = await connection.callOnce(call);
  if (!result.ok) return await refused(result);
  // S3 answers 200 before it has finished, and tells a failure in the body.
  await connection.document(result.answer, 'CompleteMultipartUploadResult', { action, maxBytes: 64 * 1024 });
  return 'completed';
}

/** Discards an upload with its parts. Does nothing if it is gone. */
export async function abortMultipart(connection: S3Connection, { path, uploadId }: S3Upload): Promise<void> {
  const { answer } = await connection.call({
    method: 'DELETE',
    key: connection.key(path),
    query: { uploadId },
    action: `abort an upload to ${path}`,
    expects: ['NoSuchUpload'],
  });
  await answer.body.discard();
}

/** @throws OciError STORAGE for an answer to a PUT that no store gives, as the page of a web server. */
export function etagOf(connection: S3Connection, answer: S3Answer, action: string): string {
  const etag = single(answer, 'etag');
  if (!etag) throw connection.strange(action, 'a page that names no object');
  return etag;
}

async function refused({ answer }: S3Result): Promise<'exists' | 'gone'> {
  await answer.body.discard();
  return answer.status === 412 ? 'exists' : 'gone';
}

function markerOf(document: Element): Readonly<Record<string, string>> | undefined {
  const [key, id] = [document.value('NextKeyMarker'), document.value('NextUploadIdMarker')];
  if (!key) return undefined;
  return { 'key-marker': key, ...(id && { 'upload-id-marker': id }) };
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return a['key-marker'] === b['key-marker'] && a['upload-id-marker'] === b['upload-id-marker'];
}
