import { findDigest, findName, tagsOf } from '../layout/format/index-lookup.ts';
import { createLister } from '../layout/format/lister.ts';
import { createRootImages, rootImages } from '../layout/format/only-image.ts';
import type { ReadableLayout } from '../layout/format/readable-layout.ts';
import { createReader } from '../layout/format/reader.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { isDigestReference, type Tag } from '../model/reference/reference.ts';
import type { Content } from '../registry/content.ts';
import { damageReport, type ExtensionKey } from '../registry/extensions.ts';
import { refusedWrites } from '../registry/refused-writes.ts';
import type { Registry } from '../registry/registry.ts';
import { cutOff } from './envelope/errors.ts';
import { type ArchiveFiles, remedy } from './files.ts';

interface ReadableArchive extends Omit<ReadableLayout, 'isFixed'> {
  readonly files: ArchiveFiles;
}

/**
 * A registry over files that are only read. It has one repository without a name, as a layout. What is damaged is told in
 * terms of the file.
 */
export function readOnlyRegistry(archive: ReadableArchive): Registry {
  const layout = { ...archive, isFixed: true };
  const { name, files } = layout;
  const damaged = (digest: Digest, cause: OciError): OciError => {
    if (cause.code === 'BLOB_UNKNOWN' && !files.hasEnd) return cutOff(name, `lacks blob ${digest}`, cause);
    const problem = cause.code === 'BLOB_UNKNOWN' ? 'is missing from' : 'is damaged in';
    return new OciError(cause.code, `blob ${digest} ${problem} ${name}: ${cause.message}`, { hint: remedy, cause });
  };
  const refuse = async (): Promise<never> => {
    throw new OciError('DENIED', `${name} is only read: nothing can be pushed to it or deleted from it`);
  };
  const own = new Map<ExtensionKey<unknown>, unknown>([
    [rootImages, createRootImages(layout)],
    [damageReport, { damaged }],
  ]);
  const reader = createReader(layout);
  return {
    name,
    ...reader,
    ...createLister(layout),
    async getManifest(repo, reference, opts) {
      return await unlessCut(reader.getManifest(repo, reference, opts), archive, reference);
    },
    async statManifest(repo, reference, opts) {
      return await unlessCut(reader.statManifest(repo, reference, opts), archive, reference);
    },
    async getBlob(repo, blob, opts) {
      return inOwnWords(await reader.getBlob(repo, blob, opts), damaged);
    },
    async ping(opts) {
      opts?.signal?.throwIfAborted();
      return { authorized: true, challenges: [] };
    },
    extension<T>(key: ExtensionKey<T>): T | undefined {
      return own.get(key) as T | undefined;
    },
    ...refusedWrites(refuse),
  };
}

/** @throws OciError ARCHIVE_INVALID for a manifest that an archive without an end lists and lacks. */
async function unlessCut<T>(reading: Promise<T>, archive: ReadableArchive, reference: Tag | Digest): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (archive.files.hasEnd || !isOciError(error, 'MANIFEST_UNKNOWN')) throw error;
    const index = await archive.index.read();
    const isListed = isDigestReference(reference)
      ? findDigest(index, reference) !== undefined
      : tagsOf(index).has(reference) || findName(index, reference) !== undefined;
    throw isListed ? cutOff(archive.name, `lacks the manifest of ${reference}`, error) : error;
  }
}

/** Content whose own checks blame the file that it is in. Errors of a sink are passed on. */
function inOwnWords(content: Content, damaged: (digest: Digest, cause: OciError) => OciError): Content {
  const { descriptor } = content;
  const explain = (error: unknown): unknown =>
    isOciError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH') ? damaged(descriptor.digest, error) : error;
  return {
    descriptor,
    async *[Symbol.asyncIterator]() {
      try {
        yield* content;
      } catch (error) {
        throw explain(error);
      }
    },
    async drainTo(sink, opts) {
      let ofSink: unknown;
      const noting = {
        async write(chunk: Uint8Array) {
          try {
            await sink.write(chunk);
          } catch (error) {
            ofSink = error;
            throw error;
          }
        },
      };
      try {
        await content.drainTo(noting, opts);
      } catch (error) {
        throw error === ofSink ? error : explain(error);
      }
    },
    cancel: () => content.cancel(),
  };
}
