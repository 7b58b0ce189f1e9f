import { setTimeout as sleep } from 'node:timers/promises';
import { HashingWriter } from '../../files/hashing-writer.ts';
import { createHasher, digestAlgorithm, digestBytes, type Hasher } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type BlobSource, digestMismatch, type Sink, sizeMismatch } from '../../registry/content.ts';
import type { PushBlobOptions, SignalOption } from '../../registry/registry.ts';
import type { FileAppender, Lock, StorePath } from '../driver.ts';
import { blobPath, partialLockPath, partialPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { findLeftovers, ownPath, takeLeftover } from '../uploads/working-file.ts';
import { hashFile } from './hash-file.ts';
import { placeBlob, type StoredBlob } from './links.ts';

const pollMs = 100;

/**
 * Takes the lock on a download, waiting while another call or process has it.
 *
 * @param isThere Asked whenever the blob may have come into being.
 * @returns Undefined when the blob is there.
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
 * Downloads a blob into the store, going on with what an interrupted download left.
 *
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH: nothing is kept. Whatever the source throws: what came so far is kept.
 */
export async function download(
  store: Store,
  descriptor: Descriptor,
  source: BlobSource,
  opts?: SignalOption,
): Promise<StoredBlob> {
  const { driver } = store;
  const resting = partialPath(descriptor.digest);
  for (let path = await resume(store, descriptor, opts); ; path = ownPath(resting)) {
    const file = await driver.openAppend(path);
    const resumed = file.size > 0;
    try {
      await fill(store, descriptor, path, file, source, opts);
      const blob = await placeBlob(store, path, descriptor.digest, descriptor.size);
      await discardLeftovers(store, resting);
      return blob;
    } catch (error) {
      await file.close();
      if (isOciError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH') || (resumed && isOciError(error, 'RANGE_INVALID'))) {
        await driver.remove(path);
        // What was left of an earlier run may be the wrong part of it; a fresh download has no such excuse.
        if (resumed && !isOciError(error, 'SIZE_MISMATCH')) continue;
      } else {
        await rest(store, path, resting, file.size);
      }
      throw error;
    }
  }
}

/**
 * Downloads a blob that fits in memory, where it is verified before the disk sees it: what of it an interruption would
 * leave is not worth its files.
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
  const bytes = new Uint8Array(size);
  const taken = {
    size: 0,
    async write(chunk: Uint8Array) {
      bytes.set(chunk, taken.size);
      taken.size += chunk.length;
    },
  };
  if (size > 0) await receive(descriptor, taken, source, opts);
  if (taken.size !== size) throw sizeMismatch(descriptor, taken.size);
  const got = await digestBytes(bytes, digestAlgorithm(digest));
  if (got !== digest) throw digestMismatch(digest, got);
  const blob = { path: blobPath(digest), stored: digest, size, isNew: true };
  await store.driver.writeSmall(blob.path, bytes);
  return blob;
}

// What a dead writer left is taken; what one that may live holds is copied, because it may wake up and write on.
async function resume(store: Store, descriptor: Descriptor, opts?: SignalOption): Promise<StorePath> {
  const { driver } = store;
  const resting = partialPath(descriptor.digest);
  const fitting = [];
  for (const leftover of await findLeftovers(store, resting)) {
    if (leftover.size <= descriptor.size) fitting.push(leftover);
    else if (leftover.state !== 'held') await driver.remove(leftover.path);
  }
  const taken = await takeLeftover(store, resting, fitting);
  if (taken !== undefined) return taken;
  const mine = ownPath(resting);
  const held = fitting[0] === undefined ? undefined : await driver.openRead(fitting[0].path);
  if (held === undefined) return mine;
  const copy = await driver.openAppend(mine);
  const writer = new HashingWriter(copy, undefined);
  try {
    const buffer = new Uint8Array(256 * 1024);
    for (let size = await held.read(buffer); size > 0; size = await held.read(buffer)) {
      opts?.signal?.throwIfAborted();
      await writer.write(buffer.subarray(0, size));
    }
    await writer.flush();
  } catch (error) {
    await writer.flush().catch(() => {});
    await copy.close();
    await driver.remove(mine);
    throw error;
  } finally {
    await held.close();
    await copy.close();
  }
  return mine;
}

async function fill(
  store: Store,
  descriptor: Descriptor,
  path: StorePath,
  file: FileAppender,
  source: BlobSource,
  opts?: SignalOption,
): Promise<void> {
  const hasher = await startHash(store, descriptor, path, file.size, opts);
  const writer = new HashingWriter(file, hasher);
  try {
    if (file.size < descriptor.size) await receive(descriptor, writer, source, opts);
  } catch (error) {
    await writer.flush().catch(() => {}); // what came is kept as far as the disk takes it
    throw error;
  }
  await writer.flush();
  if (writer.size !== descriptor.size) throw sizeMismatch(descriptor, writer.size);
  const got = hasher.digest();
  if (got !== descriptor.digest) throw digestMismatch(descriptor.digest, got);
  await file.sync();
  await file.close();
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
      // A server that never stops sending would fill the disk.
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

async function startHash(
  { driver }: Store,
  descriptor: Descriptor,
  path: StorePath,
  size: number,
  opts?: SignalOption,
): Promise<Hasher> {
  const algorithm = digestAlgorithm(descriptor.digest);
  const earlier = size === 0 ? undefined : await hashFile(driver, path, algorithm, opts);
  return earlier ?? (await createHasher(algorithm));
}

// A file that has not even begun is not worth keeping. Failing here must not hide why the download failed.
async function rest({ driver }: Store, path: StorePath, resting: StorePath, size: number): Promise<void> {
  await (size === 0 ? driver.remove(path) : driver.move(path, resting)).catch(() => {});
}

async function discardLeftovers(store: Store, resting: StorePath): Promise<void> {
  for (const { state, path } of await findLeftovers(store, resting)) {
    if (state !== 'held') await store.driver.remove(path);
  }
}
