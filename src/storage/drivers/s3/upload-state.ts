/**
 * What lies beside the path of an upload at rest: one object for each time it rested, `<path>.parts/<number>`, whose numbers
 * count down, so that a list begins with the latest. Each is written only if it is not there yet: of two holders that go
 * on from the same bytes, the second to rest fails. It has the facts as a line of JSON, and after it the tail: the bytes
 * that do not fill a part yet.
 */
import { randomUUID } from 'node:crypto';
import { type Digest, tryParseDigest } from '../../../model/digest.ts';
import { isOciError, OciError } from '../../../model/errors.ts';
import { tryParseObject } from '../../../model/json.ts';
import type { StorePath } from '../../driver.ts';
import type { S3Client } from './client.ts';

interface UploadState {
  /** Bytes of each part. A later process goes on with the same: some stores take equal parts only. */
  readonly partBytes: number;
  /** The multipart upload; undefined if there is no part yet. */
  readonly uploadId?: string | undefined;
  /** Of the parts that were uploaded, in order. */
  readonly etags: readonly string[];
  /** Bytes of the object at the path, if the parts were completed to one. */
  readonly completedBytes?: number | undefined;
  /** Of all bytes. */
  readonly digest?: Digest | undefined;
}

/** A state as it is stored. */
export interface StoredState extends UploadState {
  /** From 1 on. */
  readonly sequence: number;
  readonly tail: Uint8Array;
  readonly storedAt: Date;
}

const maxSequence = 999_999;
/** Parts are in memory while they are sent. Another process may have been started with larger ones than this. */
export const maxPartBytes = 128 * 1024 * 1024;
/** S3 takes no more. */
export const maxParts = 10_000;
const maxFactsBytes = 1024 * 1024;
/** Tries to read a state that is replaced by the next at the same time. */
const maxTries = 5;
const superseded = Buffer.from('{"superseded":true}\n');
const lineFeed = 10;

export function statesPrefix(path: StorePath): string {
  return `${path}.parts/`;
}

export function statePath(path: StorePath, sequence: number): StorePath {
  return `${statesPrefix(path)}${String(maxSequence - sequence).padStart(6, '0')}` as StorePath;
}

/** Of which upload a key is a state, and which; undefined for other keys. */
export function parseStateKey(key: string): { readonly path: StorePath; readonly sequence: number } | undefined {
  const [, path, number] = /^(.+)\.parts\/(\d{6})$/.exec(key) ?? [];
  return path === undefined ? undefined : { path: path as StorePath, sequence: maxSequence - Number(number) };
}

/** Number of bytes of an upload with this state. */
export function sizeOf({ completedBytes, etags, partBytes, tail }: StoredState): number {
  return completedBytes ?? etags.length * partBytes + tail.length;
}

/**
 * Writes the state that follows another.
 *
 * @param frame Puts a line before the tail. The tail may be large, so it should not be copied for that.
 * @throws OciError RANGE_INVALID if another holder has written it.
 */
export async function writeState(
  client: S3Client,
  path: StorePath,
  sequence: number,
  state: UploadState,
  frame: (line: Uint8Array) => Uint8Array,
): Promise<void> {
  if (sequence > maxSequence) {
    throw new OciError('SIZE_INVALID', `an upload cannot be continued more than ${maxSequence} times`, {
      hint: 'start it again with larger chunks',
    });
  }
  const nonce = randomUUID();
  const bytes = frame(Buffer.from(`${JSON.stringify({ ...state, nonce })}\n`));
  const outcome = await client.putIfAbsent(statePath(path, sequence), bytes);
  if (outcome === 'created') return;
  const there = outcome === 'perhaps' ? await client.get(statePath(path, sequence), bytes.length + 1) : undefined;
  if (there !== undefined && Buffer.from(there.bytes).equals(bytes)) return;
  throw new OciError('RANGE_INVALID', 'another request has continued this upload meanwhile', {
    hint: 'ask for its size, and continue there',
  });
}

/** Frees the tail of a state that was followed by another. The object stays, so that no other holder writes it again. */
export async function supersede(client: S3Client, path: StorePath, sequence: number): Promise<void> {
  await client.put(statePath(path, sequence), superseded);
}

/**
 * The latest state of an upload; undefined if it has none.
 *
 * @param sequence Its number, if it was listed just now.
 * @throws OciError STORAGE if it is damaged.
 */
export async function latestState(
  client: S3Client,
  path: StorePath,
  sequence?: number,
): Promise<StoredState | undefined> {
  const state = await findState(client, path, sequence);
  if (state !== 'damaged') return state;
  throw new OciError('STORAGE', `${client.connection.name}/${path} has no readable state of an upload`, {
    hint: 'start the upload again',
  });
}

/** The latest state, for those who remove it. */
export async function findState(
  client: S3Client,
  path: StorePath,
  sequence?: number,
): Promise<StoredState | 'damaged' | undefined> {
  for (let [tries, known] = [0, sequence]; tries <= maxTries; tries += 1, known = undefined) {
    const latest = known ?? (await latestSequence(client, path));
    if (latest === undefined) return undefined;
    const found = await client.get(statePath(path, latest), maxPartBytes + maxFactsBytes).catch(tooLarge);
    const state = found && decode(found.bytes, latest, found.storedAt);
    if (state !== undefined) return state;
  }
  return 'damaged';
}

function tooLarge(error: unknown): undefined {
  if (!isOciError(error, 'TOO_LARGE')) throw error;
}

async function latestSequence(client: S3Client, path: StorePath): Promise<number | undefined> {
  const { entries } = await client.list({ prefix: statesPrefix(path), limit: 1 });
  return entries[0] && parseStateKey(entries[0].key)?.sequence;
}

function decode(bytes: Uint8Array, sequence: number, storedAt: Date): StoredState | undefined {
  const end = bytes.indexOf(lineFeed);
  const fields = end < 0 ? undefined : tryParseObject(Buffer.from(bytes.subarray(0, end)).toString('utf8'));
  if (fields === undefined || fields['superseded'] === true) return undefined;
  const { partBytes, uploadId, etags, completedBytes } = fields;
  if (!isCount(partBytes) || partBytes === 0 || partBytes > maxPartBytes || !Array.isArray(etags)) return undefined;
  if (etags.length > maxParts || bytes.length - end - 1 > partBytes) return undefined;
  return {
    partBytes,
    uploadId: typeof uploadId === 'string' ? uploadId : undefined,
    etags: etags.map(String),
    completedBytes: isCount(completedBytes) ? completedBytes : undefined,
    digest: tryParseDigest(fields['digest']),
    sequence,
    tail: bytes.subarray(end + 1),
    storedAt,
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
