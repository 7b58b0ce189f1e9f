/** Sends images to a daemon in one archive, without the layers that it has. */
import { tmpdir } from 'node:os';
import type { BlobSlots } from '../archive/write/blob-slots.ts';
import { ExpectedImages } from '../archive/write/expected-images.ts';
import { layOutHybrid } from '../archive/write/hybrid-layout.ts';
import { TemporaryFile } from '../archive/write/temporary-file.ts';
import type { ArchiveReceiver } from '../archive/write/write-only.ts';
import { drainFile } from '../files/file-content.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Platform } from '../model/platform/platform.ts';
import { familiarReference, parseReference } from '../model/reference/reference.ts';
import { unlessAborted } from '../model/signals/when-aborted.ts';
import type { ExpectedImage } from '../registry/expected-content.ts';
import type { SignalOption } from '../registry/registry.ts';
import type { DaemonClient } from './client.ts';
import { inspectImage } from './images.ts';
import { findOmittedLayers } from './omitted-layers.ts';

interface LoadOptions {
  readonly client: DaemonClient;
  /** The daemon's: of an index, it gets the image for this one where it keeps no indexes. */
  readonly platform: Platform;
}

/** A receiver that sends everything at its end. Disposing it removes its temporary file. */
interface LoadReceiver extends ArchiveReceiver, AsyncDisposable {}

interface Laid {
  readonly file: TemporaryFile;
  readonly slots: BlobSlots;
  /** Layers that the daemon has. They have their places at the end of the archive, which is then not sent. */
  readonly omitted: ReadonlyMap<Digest, Descriptor>;
  readonly totalBytes: number;
  /** The size of the archive without them. */
  readonly reducedBytes: number;
}

/**
 * Collects images in a temporary file and loads them. Layers that the daemon has, as it says, are not even read; where it
 * refuses an archive without them, they are read after all and everything is sent again.
 */
export function createLoadReceiver({ client, platform }: LoadOptions): LoadReceiver {
  const images = new ExpectedImages(platform);
  const expected: ExpectedImage[] = [];
  let complete = (): void => {};
  const completed = new Promise<void>((resolve) => {
    complete = resolve;
  });
  const stop = new AbortController();
  const laid = completed.then(() => layOut(client, images, expected, { signal: stop.signal }));
  laid.catch(() => {}); // reported by each call that awaits it
  // Without any manifest, the transfer found that the name is that of the image already.
  let hasArrived = false;
  const layout = ({ signal }: SignalOption = {}): Promise<Laid> => unlessAborted(laid, signal);
  return {
    expect(image) {
      images.add(image);
      expected.push(image);
    },
    complete,
    async blob(descriptor, source, opts) {
      const { omitted, slots } = await layout(opts);
      if (omitted.has(descriptor.digest)) return 'exists';
      await slots.fill(descriptor, source, opts);
      return 'pushed';
    },
    async manifest({ descriptor, bytes }, opts) {
      hasArrived = true;
      await (await layout(opts)).slots.fillWith(descriptor, bytes);
    },
    async finish(opts = {}) {
      complete();
      if (!hasArrived) return;
      const { file, slots, omitted, totalBytes, reducedBytes } = await layout(opts);
      const missing = slots.missing.filter((digest) => !omitted.has(digest));
      if (missing.length > 0) throw incomplete(client.name, missing);
      await file.setSize(totalBytes);
      const send = (size: number): Promise<unknown> =>
        client.load({ size, writeTo: (sink) => drainFile(file.reader(size), sink, [opts.signal]) }, opts);
      try {
        await send(reducedBytes);
      } catch (error) {
        if (omitted.size === 0 || !isOciError(error, 'UNKNOWN')) throw error;
        await fillOmitted(omitted.values(), slots, expected, opts);
        await send(totalBytes);
      }
      await confirm(client, images, opts);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      complete();
      const made = await laid.catch(() => undefined);
      await made?.file[Symbol.asyncDispose]();
    },
  };
}

async function layOut(
  client: DaemonClient,
  images: ExpectedImages,
  expected: readonly ExpectedImage[],
  opts: SignalOption,
): Promise<Laid> {
  const { runnable } = images;
  if (runnable.length === 0 && expected.length > 0) {
    throw new OciError('UNSUPPORTED', `${client.name} takes images that can be run, and this is none`, {
      hint: 'ocictl copy takes artifacts to registries, layouts and archives',
    });
  }
  const omitted = await findOmittedLayers(client, runnable, expected, opts);
  opts.signal?.throwIfAborted();
  const file = await TemporaryFile.createNameless(tmpdir(), `the archive for ${client.name}`);
  try {
    return { file, omitted, ...(await layOutHybrid(images, file, new Set(omitted.keys()))) };
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function fillOmitted(
  omitted: Iterable<Descriptor>,
  slots: BlobSlots,
  expected: readonly ExpectedImage[],
  opts: SignalOption,
): Promise<void> {
  for (const descriptor of omitted) {
    const image = expected.find(({ blobs }) => blobs.some(({ digest }) => digest === descriptor.digest));
    if (image) await slots.fill(descriptor, { open: () => image.open(descriptor, opts) }, opts);
  }
}

/** Checks that each name is that of the image that was sent. @throws OciError PROTOCOL */
async function confirm(client: DaemonClient, { runnable, roots }: ExpectedImages, opts: SignalOption): Promise<void> {
  const ids = new Set<Digest>(roots.map(({ descriptor }) => descriptor.digest));
  for (const { view, names } of runnable) {
    for (const name of names) {
      const { id } = await inspectImage(client, familiarReference(parseReference(name)), opts);
      if (id === view.config.digest || ids.has(id)) continue;
      throw new OciError(
        'PROTOCOL',
        `${client.name} has made another image of ${name}: ${id}, not ${view.config.digest}`,
      );
    }
  }
}

function incomplete(name: string, missing: readonly Digest[]): OciError {
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  return new OciError('PARTLY_FAILED', `nothing was sent to ${name}: ${missing[0]}${more} could not be copied`, {
    hint: 'an image is sent whole or not at all; the reason is above',
  });
}
