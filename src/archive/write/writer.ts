import { isSameFile } from '../../files/same-file.ts';
import { parseLayoutName } from '../../layout/format/names.ts';
import { OciError } from '../../model/errors.ts';
import type { Platform } from '../../model/platform/platform.ts';
import type { Tag } from '../../model/reference/reference.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { createClassicReceiver } from './classic-receiver.ts';
import type { HasBlob } from './expected-images.ts';
import { createHybridReceiver } from './hybrid-receiver.ts';
import type { ArchiveOutput } from './output.ts';
import { type ArchiveReceiver, createWriteOnly } from './write-only.ts';

export { openFileOutput, openStreamOutput } from './output.ts';

/** An archive that is being written. Disposing without `finish` leaves nothing behind. */
export interface ArchiveWriter extends AsyncDisposable {
  /** The destination of a transfer. */
  readonly registry: Registry;
  /** A name of an image in the archive: a tag or a full reference. @throws OciError REFERENCE_INVALID */
  nameOf(text: string): Tag;
  /** @param path A file that is read. @throws OciError USAGE if it is the one that the archive replaces. */
  refuseInput(path: string): Promise<void>;
  /** Completes the archive. @throws OciError PARTLY_FAILED if something of an image did not come; STORAGE_*. */
  finish(opts?: SignalOption): Promise<void>;
}

export interface WriterOptions {
  readonly output: ArchiveOutput;
  /** `oci` (default): for all programs, blobs as they are. `docker`: as Docker wrote it before version 25. */
  readonly format?: 'oci' | 'docker' | undefined;
  /** Of an index, the image that programs get which know no index. */
  readonly platform: Platform;
  /** Whether the reader of the archive has a blob, which is then left out. Default: everything is in the archive. */
  readonly hasBlob?: HasBlob | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Writes images to an archive. The same images give the same bytes. */
export function createArchiveWriter(options: WriterOptions): ArchiveWriter {
  const { output, format = 'oci' } = options;
  const receiver: ArchiveReceiver & Partial<AsyncDisposable> =
    format === 'docker' ? createClassicReceiver(options) : createHybridReceiver(options);
  return {
    registry: createWriteOnly(output.name, receiver),
    nameOf: parseLayoutName,
    refuseInput: async (path) => {
      if (output.replaces !== undefined && (await isSameFile(output.replaces, path))) throw ownInput(path);
    },
    finish: (opts) => receiver.finish(opts),
    async [Symbol.asyncDispose]() {
      await receiver[Symbol.asyncDispose]?.();
      await output[Symbol.asyncDispose]();
    },
  };
}

function ownInput(path: string): OciError {
  return new OciError('USAGE', `${path} is read, and would be replaced by the archive`, {
    hint: 'write the archive to another file',
  });
}
