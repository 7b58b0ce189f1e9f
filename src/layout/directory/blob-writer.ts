import { digestAlgorithm } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type BlobSource, type Content, digestMismatch, type Sink, sizeMismatch } from '../../registry/content.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { BlobFile } from './blob-file.ts';
import { onFile } from './file-errors.ts';
import { blobFile, type LayoutDirectory } from './layout-directory.ts';
import { moveIntoPlace, removeFile } from './move.ts';

/**
 * Writes a blob to a temporary file, hashes it meanwhile, and renames it when it is complete. The source is opened
 * once, at its first byte.
 *
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH, STORAGE_*, and errors of the source; nothing is kept then.
 */
export async function writeBlob(
  layout: LayoutDirectory,
  descriptor: Descriptor,
  source: BlobSource,
  opts?: SignalOption,
): Promise<void> {
  const { root, work } = layout;
  const algorithm = digestAlgorithm(descriptor.digest);
  const path = work.newFile('blob');
  const file = await onFile('write', path, () => work.within(() => BlobFile.create(path, algorithm)));
  try {
    await receive(descriptor, source, file, opts?.signal);
    const got = await file.digest(algorithm);
    if (got !== descriptor.digest) throw digestMismatch(descriptor.digest, got);
    await file.finish();
    opts?.signal?.throwIfAborted();
    await moveIntoPlace(root, path, blobFile(layout, descriptor.digest));
  } catch (error) {
    await file.close().catch(() => {});
    await removeFile(path).catch(() => {});
    throw error;
  } finally {
    await work.leave();
  }
}

async function receive(
  descriptor: Descriptor,
  source: BlobSource,
  file: BlobFile,
  signal: AbortSignal | undefined,
): Promise<void> {
  const opening = source.open(0, { signal });
  let content: Content;
  try {
    content = await unlessAborted(opening, signal);
  } catch (error) {
    opening.then((late) => late.cancel()).catch(() => {});
    throw error;
  }
  let left = false;
  const sink: Sink = {
    write(chunk) {
      signal?.throwIfAborted();
      // Writes after the failure are refused, because the file is gone; so are bytes past the size, which would fill
      // the disk.
      const size = file.size + chunk.length;
      if (left || size > descriptor.size) throw sizeMismatch(descriptor, size);
      return file.write(chunk);
    },
  };
  try {
    await unlessAborted(content.drainTo(sink, { signal }), signal);
    if (file.size !== descriptor.size) throw sizeMismatch(descriptor, file.size);
  } catch (error) {
    left = true;
    content.cancel().catch(() => {});
    signal?.throwIfAborted();
    throw error;
  }
}

// A source may hang without honouring the signal.
async function unlessAborted<T>(running: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await running;
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  running.catch(() => {}); // nothing awaits it once the signal has fired
  try {
    return await Promise.race([running, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
