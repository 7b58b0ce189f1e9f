/** Changes what a registry has, one change a call. */
import { checkArgument, checkOptions } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RawManifest } from '../model/manifest/manifest.ts';
import { defaultTag, manifestReference, parseTag, type Reference, type Tag } from '../model/reference/reference.ts';
import { type CallOptions, callShape, checkCall, withRegistry } from './session.ts';

/**
 * Stores a manifest under the tag of a reference, or under its digest alone. What the manifest names must be there.
 *
 * @param manifest Its media type, and its bytes as they shall be stored.
 * @throws OciError USAGE, REFERENCE_INVALID; MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN; DIGEST_MISMATCH where the reference has
 *   another digest; what registries throw, see {@link Registry}.
 */
export async function pushManifest(
  reference: string,
  manifest: RawManifest,
  options: CallOptions = {},
): Promise<Descriptor> {
  const asked = checkCall('pushManifest', reference, options, callShape);
  checkArgument('pushManifest', 'the manifest', manifest, 'object');
  const { mediaType, bytes } = manifest;
  checkOptions('pushManifest', { mediaType, bytes }, { mediaType: 'string', bytes: 'bytes' }, ['mediaType', 'bytes']);
  const { digest, tag = digest === undefined ? defaultTag : undefined } = asked;
  return withRegistry(asked, 'push', options, (registry) =>
    registry.pushManifest(asked.path, manifest, {
      digest,
      tags: tag === undefined ? [] : [tag],
      signal: options.signal,
    }),
  );
}

/**
 * Points tags of the same repository at the manifest that a reference stands for. No blob is sent.
 *
 * @param tags `['3', 'latest']`.
 * @throws OciError USAGE, REFERENCE_INVALID, TAG_INVALID; MANIFEST_UNKNOWN; what registries throw, see {@link Registry}.
 */
export async function setTags(
  reference: string,
  tags: readonly string[],
  options: CallOptions = {},
): Promise<Descriptor> {
  const asked = checkCall('setTags', reference, options, callShape);
  checkArgument('setTags', 'the list of tags', tags, 'array');
  const wanted = tags.map((tag) => {
    checkArgument('setTags', 'a tag', tag, 'string');
    return parseTag(tag);
  });
  const { signal } = options;
  return withRegistry(asked, 'push', options, async (registry) => {
    const manifest = await registry.getManifest(asked.path, manifestReference(asked), { signal });
    const { digest } = manifest.descriptor;
    // It is stored already, perhaps without all of its children.
    return registry.pushManifest(asked.path, manifest, { tags: wanted, digest, sparse: true, signal });
  });
}

/**
 * Removes a tag, and not the manifest that it points at.
 *
 * @param reference Must have a tag, and no digest.
 * @throws OciError USAGE, REFERENCE_INVALID; MANIFEST_UNKNOWN; UNSUPPORTED for a registry that deletes no tags; what registries
 *   throw, see {@link Registry}.
 */
export async function deleteTag(reference: string, options: CallOptions = {}): Promise<void> {
  const asked = checkCall('deleteTag', reference, options, callShape);
  const tag = onlyTag(asked);
  await withRegistry(asked, 'push', options, (registry) =>
    registry.deleteTag(asked.path, tag, { signal: options.signal }),
  );
}

function onlyTag({ tag, digest }: Reference): Tag {
  if (tag !== undefined && digest === undefined) return tag;
  throw new OciError('USAGE', 'deleteTag: the reference must name a tag, and no digest');
}
