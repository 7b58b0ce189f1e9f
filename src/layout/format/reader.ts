import { fileContent } from '../../files/file-content.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { isDigestReference, type Tag } from '../../model/reference/reference.ts';
import { blobDescriptor, type Content, sizeMismatch, verifiedContent } from '../../registry/content.ts';
import { inlineContent } from '../../registry/inline.ts';
import { checkRange } from '../../registry/range.ts';
import type { GetBlobOptions, Reader, SignalOption } from '../../registry/registry.ts';
import { findName, tagsOf } from './index-lookup.ts';
import { findManifest, loadManifest } from './manifests.ts';
import { blobPath } from './paths.ts';
import { blobUnknown, manifestUnknown, type ReadableLayout } from './readable-layout.ts';

/**
 * The reading part of a layout. The repository's name is ignored, because there is only one. A layout uses no network,
 * so a foreign layer that is not stored is BLOB_UNKNOWN, even if it has `urls`.
 */
export function createReader(layout: ReadableLayout): Reader {
  return {
    async statBlob(_repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      const facts = await layout.files.stat(blobPath(digest));
      if (facts === undefined) throw blobUnknown(layout, digest);
      return blobDescriptor(digest, facts.size);
    },

    async getBlob(_repo, wanted, opts) {
      opts?.signal?.throwIfAborted();
      const inline = await inlineContent(wanted, opts?.range);
      const content = inline ?? (await openBlob(layout, wanted, opts));
      return opts?.range === undefined && opts?.verify !== false ? await verifiedContent(content) : content;
    },

    async statManifest(_repo, reference, opts) {
      return (await getManifest(layout, reference, opts)).descriptor;
    },

    async getManifest(_repo, reference, opts) {
      return await getManifest(layout, reference, opts);
    },
  };
}

async function getManifest(
  layout: ReadableLayout,
  reference: Tag | Digest,
  opts?: SignalOption & { readonly ifNoneMatch?: Digest | undefined },
): Promise<Manifest> {
  opts?.signal?.throwIfAborted();
  let manifest: Manifest | undefined;
  if (isDigestReference(reference)) {
    manifest = await findManifest(layout, reference, opts);
  } else {
    const index = await layout.index.read();
    const tagged = tagsOf(index).get(reference) ?? findName(index, reference)?.descriptor;
    manifest = tagged && (await loadManifest(layout, tagged));
    if (tagged && !manifest) throw danglingTag(layout, reference, tagged);
  }
  if (manifest === undefined) throw manifestUnknown(layout, reference);
  if (manifest.descriptor.digest === opts?.ifNoneMatch) {
    throw new OciError('NOT_MODIFIED', `${layout.name} still has ${opts.ifNoneMatch} there`);
  }
  return manifest;
}

async function openBlob(layout: ReadableLayout, wanted: Digest | Descriptor, opts?: GetBlobOptions): Promise<Content> {
  const digest = typeof wanted === 'string' ? wanted : wanted.digest;
  const file = await layout.files.open(blobPath(digest), opts?.range);
  if (file === undefined) throw blobUnknown(layout, digest);
  try {
    const descriptor = typeof wanted === 'string' ? blobDescriptor(digest, file.size) : wanted;
    if (file.size !== descriptor.size) throw sizeMismatch(descriptor, file.size);
    if (opts?.range !== undefined) checkRange(opts.range, descriptor);
    return fileContent(descriptor, file, opts);
  } catch (error) {
    await file.close();
    throw error;
  }
}

function danglingTag({ name, files }: ReadableLayout, tag: Tag, { digest }: Descriptor): OciError {
  return new OciError('MANIFEST_UNKNOWN', `${name} has the tag ${tag}, but not its manifest ${digest}`, {
    hint: `it is not complete: ${files.remedy}`,
  });
}
