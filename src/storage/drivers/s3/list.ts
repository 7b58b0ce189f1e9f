import { OciError } from '../../../model/errors.ts';
import type { S3Connection } from './connection.ts';

export interface S3ListOptions {
  /** Below the prefix of the settings; ends with `/` for what is below it, or is empty. */
  readonly prefix: string;
  /** Only keys after this one, below the prefix of the settings, by their bytes. */
  readonly after?: string | undefined;
  /** `/`: keys with a further slash are listed as their common prefix. */
  readonly delimiter?: '/' | undefined;
  /** Maximum number of entries. Default and maximum 1,000. */
  readonly limit?: number | undefined;
}

interface S3ListEntry {
  /** Below the prefix of the settings. That of a common prefix ends with `/`. */
  readonly key: string;
  /** Of an object; undefined for a common prefix. */
  readonly object: { readonly size: number; readonly storedAt: Date } | undefined;
}

export interface S3List {
  /** In the order of the bytes of their keys. */
  readonly entries: readonly S3ListEntry[];
  /** Whether there are more. */
  readonly more: boolean;
}

/** 1,000 keys of 1,024 bytes, each written as `%xx`, with what is said of them. */
const maxListBytes = 8 * 1024 * 1024;

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export async function listObjects(connection: S3Connection, options: S3ListOptions): Promise<S3List> {
  const { prefix, after, delimiter, limit } = options;
  const action = `list ${prefix === '' ? 'it' : prefix}`;
  const { answer } = await connection.call({
    method: 'GET',
    query: {
      'list-type': '2',
      // Names may have characters that XML cannot hold.
      'encoding-type': 'url',
      prefix: connection.key(prefix),
      ...(delimiter !== undefined && { delimiter }),
      ...(after !== undefined && { 'start-after': connection.key(after) }),
      ...(limit !== undefined && limit < 1000 && { 'max-keys': String(limit) }),
    },
    action,
  });
  const list = await connection.document(answer, 'ListBucketResult', { action, maxBytes: maxListBytes });
  const isEncoded = list.value('EncodingType') === 'url';
  const start = connection.key('');
  const keyOf = (text: string | undefined): string[] => {
    const key = isEncoded ? tryDecode(text ?? '') : text;
    return key?.startsWith(start) ? [key.slice(start.length)] : [];
  };
  const objects = list.all('Contents').flatMap((element) => {
    const storedAt = new Date(element.value('LastModified') ?? '');
    const size = Number(element.value('Size') ?? Number.NaN);
    if (!Number.isSafeInteger(size) || Number.isNaN(storedAt.getTime())) return [];
    return keyOf(element.value('Key')).map((key) => ({ key, object: { size, storedAt } }));
  });
  const prefixes = list.all('CommonPrefixes').flatMap((element) => {
    return keyOf(element.value('Prefix')).map((key) => ({ key, object: undefined }));
  });
  const entries = prefixes.length === 0 ? objects : [...objects, ...prefixes].sort(byBytes);
  return { entries, more: list.value('IsTruncated') === 'true' };
}

/** The error for a store that gives pages that were read already. */
export function endlessList({ name }: S3Connection, prefix: string): OciError {
  return new OciError('STORAGE', `${name}: the list of ${prefix} does not end: the store gives the same page again`, {
    hint: 'check whether the store implements start-after in ListObjectsV2',
  });
}

function byBytes(a: S3ListEntry, b: S3ListEntry): number {
  return Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));
}

function tryDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
