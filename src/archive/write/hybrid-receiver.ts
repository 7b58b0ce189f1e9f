import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { unlessAborted } from '../../model/signals/when-aborted.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { BlobSlots } from './blob-slots.ts';
import { ExpectedImages, type HasBlob } from './expected-images.ts';
import { layOutHybrid } from './hybrid-layout.ts';
import type { ArchiveOutput } from './output.ts';
import type { ArchiveReceiver } from './write-only.ts';

interface HybridOptions {
  readonly output: ArchiveOutput;
  /** Of an index, the image that programs get which know no index. */
  readonly platform: Platform;
  /** Blobs that are left out. Default: none. */
  readonly hasBlob?: HasBlob | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes an archive that is an OCI layout and that Docker loads too, with all blobs as they are.
 *
 * The sizes of all files are known before the first byte, so each has its place, and blobs are written there in whatever
 * order they come: nothing is written twice.
 */
export function createHybridReceiver({ output, platform, hasBlob, signal }: HybridOptions): ArchiveReceiver {
  const images = new ExpectedImages(platform);
  let complete = (): void => {};
  const completed = new Promise<void>((resolve) => {
    complete = resolve;
  });
  const laidOut = completed.then(async () => {
    if (hasBlob) await images.leaveOut(hasBlob, { signal });
    return layOutHybrid(images, output);
  });
  laidOut.catch(() => {}); // reported by each call that awaits it
  const slots = async ({ signal }: SignalOption = {}): Promise<BlobSlots> =>
    (await unlessAborted(laidOut, signal)).slots;
  return {
    expect: (image) => images.add(image),
    complete,
    async blob(descriptor, source, opts) {
      const places = await slots(opts);
      if (images.omitted?.has(descriptor.digest)) return 'exists';
      await places.fill(descriptor, source, opts);
      return 'pushed';
    },
    async manifest({ descriptor, bytes }, opts) {
      await (await slots(opts)).fillWith(descriptor, bytes);
    },
    async finish(opts) {
      complete();
      const { slots: filled, totalBytes } = await laidOut;
      const { missing } = filled;
      if (missing.length > 0) throw incomplete(output.name, missing);
      await output.finish(totalBytes, opts);
    },
  };
}

function incomplete(name: string, missing: readonly Digest[]): OciError {
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  return new OciError('PARTLY_FAILED', `${name} was not written: ${missing[0]}${more} could not be copied`, {
    hint: 'an archive is written whole or not at all; the reason is above',
  });
}
