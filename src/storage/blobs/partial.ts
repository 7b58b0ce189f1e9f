import { setTimeout as sleep } from 'node:timers/promises';
import { bufferBytes, giveBuffer, takeBuffer } from '../../files/buffers.ts';
import { HashingWriter } from '../../files/hashing-writer.ts';
import { createHasher, digestAlgorithm, digestBytes, type Hasher } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type BlobSource, digestMismatch, type Sink, sizeMismatch } from '../../registry/content.ts';
import type { PushBlobOptions, SignalOption } from '../../registry/registry.ts';
import type { Lock, Upload } from '../driver.ts';
import { blobPath, partialLockPath, partialPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { hashReader } from './hash-reader.ts';
import { placeBlob } from './links.ts';
import type { StoredBlob } from './stored-blob.ts';

const pollMs = 100;
const done = Promise.resolve();

/**
 * Up to this size a blob is downloaded into one buffer, without a lock, and not resumed in another run: the lock and the partial file
 * cost more than to download it twice.
 */
export const smallBytes = bufferBytes;

/**
 * Takes the lock for a download. Waits while another call or process has it.
 *
 * @param isThere Called whenever the blob may have been stored by another.
 * @returns Undefined if the blob is stored.
 */
export async function lockDownload(
  { driver }: Store,
  descriptor: Descriptor,
  isThere: () => Promise<boolean>,
  opts?: PushBlobOptions,
): Promise<Lock | undefined> {
  const path = partialLockPath(descriptor.digest);
  for (let told = false; !(await isThere()); told = true) {
    const lock = driver.locks === undefined ? { release: async () => {} } : await driver.locks.tryAcquire(path);
    if (lock !== undefined) {
      try {
        if (!(await isThere())) return lock;
      } catch (error) {
        await lock.release();
        throw error;
      }
      await lock.release();
      return undefined;
    }
    if (!told) opts?.onWait?.('another process or transfer is downloading it');
    await sleep(pollMs, undefined, { signal: opts?.signal }).catch((error: unknown) => {
      opts?.signal?.throwIfAborted();
      throw error;
    });
  }
  return undefined;
}

/**
 * Downloads a blob into the store, and resumes an interrupted download. The digest must be held.
 *
 * @param opts.replace Whether it replaces a stored blob of the same size, which is damaged.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH: nothing is kept. Errors of the source: what was downloaded is kept.
 */
export async function download(
  store: Store,
  descriptor: Descriptor,
  source: BlobSource,
  opts?: SignalOption & { readonly replace?: boolean },
): Promise<StoredBlob> {
  const { uploads } = store.driver;
  const path = partialPath(descriptor.digest);
  const to = blobPath(descriptor.digest);
  const begun = await uploads.resume(path, { to, maxBytes: descriptor.size });
  for (let upload = begun ?? (await uploads.begin(path, { to })); ; upload = await uploads.begin(path, { to })) {
    const resumed = upload.size > 0;
    try {
      await fill(descriptor, upload, source, opts);
      return await placeBlob(store, upload, descriptor.digest, { replace: opts?.replace });
    } catch (error) {
      // An error during cleanup must not hide why the download failed.
      if (isOciError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH') || (resumed && isOciError(error, 'RANGE_INVALID'))) {
        await upload.abort().catch(() => {});
        // A resumed part may have been damaged, so download once more from the start. A fresh download is not repeated.
        if (resumed && !isOciError(error, 'SIZE_MISMATCH')) continue;
      } else {
        await upload.rest().catch(() => {});
      }
      throw error;
    }
  }
}

/**
 * Downloads a small blob, which fits into a shared buffer, and verifies it in memory before it is written. The digest must be
 * held. A partial file would not be worth its cost at this size.
 *
 * @throws OciError as {@link download}. Nothing is kept.
 */
export async function downloadSmall(
  store: Store,
  descriptor: Descriptor,
  source: BlobSource,
  opts?: SignalOption,
): Promise<StoredBlob> {
  const { digest, size } = descriptor;
  let buffer: Uint8Array<ArrayBuffer> | undefined;
  const taken = {
    size: 0,
    write(chunk: Uint8Array) {
      buffer ??= takeBuffer();
      buffer.set(chunk, taken.size);
      taken.size += chunk.length;
      return done;
    },
  };
  try {
    if (size > 0) await receive(descriptor, taken, source, opts);
    if (taken.size !== size) throw sizeMismatch(descriptor, taken.size);
    const bytes = buffer?.subarray(0, size) ?? new Uint8Array(0);
    const got = await digestBytes(bytes, digestAlgorithm(digest));
    if (got !== digest) throw digestMismatch(digest, got);
    const blob = { path: blobPath(digest), stored: digest, size, isNew: true };
    await store.driver.put(blob.path, bytes);
    return blob;
  } finally {
    if (buffer !== undefined) giveBuffer(buffer);
  }
}

async function fill(descriptor: Descriptor, upload: Upload, source: BlobSource, opts?: SignalOption): Promise<void> {
  const hasher = await startHash(descriptor, upload, opts);
  const writer = new HashingWriter(upload, hasher);
  try {
    if (upload.size < descriptor.size) await receive(descriptor, writer, source, opts);
  } catch (error) {
    await writer.flush().catch(() => {}); // keep what was downloaded, as far as the disk accepts it
    throw error;
  }
  await writer.flush();
  if (writer.size !== descriptor.size) throw sizeMismatch(descriptor, writer.size);
  const got = hasher.digest();
  if (got !== descriptor.digest) throw digestMismatch(descriptor.digest, got);
}

async function receive(
  descriptor: Descriptor,
  writer: Sink & { readonly size: number },
  source: BlobSource,
  opts?: SignalOption,
): Promise<void> {
  const signal = opts?.signal;
  const content = await source.open(writer.size, { signal });
  const stop = (): void => void content.cancel().catch(() => {});
  signal?.addEventListener('abort', stop, { once: true });
  const sink: Sink = {
    write(chunk) {
      signal?.throwIfAborted();
      // A server that sends without end would fill the disk.
      if (writer.size + chunk.length > descriptor.size) throw sizeMismatch(descriptor, writer.size + chunk.length);
      return writer.write(chunk);
    },
  };
  try {
    await content.drainTo(sink, { signal });
    signal?.throwIfAborted();
  } catch (error) {
    await content.cancel().catch(() => {});
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function startHash(descriptor: Descriptor, upload: Upload, opts?: SignalOption): Promise<Hasher> {
  const algorithm = digestAlgorithm(descriptor.digest);
  return upload.size === 0 ? await createHasher(algorithm) : await hashReader(await upload.read(), algorithm, opts);
}
