/** Adds artifacts for several platforms to an index. */
import { setTimeout } from 'node:timers/promises';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import { asArray, asObject, parseJsonObject } from '../../model/json-fields.ts';
import { type Descriptor, parseDescriptor } from '../../model/manifest/descriptor.ts';
import { childrenOf, type Manifest } from '../../model/manifest/manifest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { formatPlatform, type Platform, platformObject } from '../../model/platform/platform.ts';
import type { RepositoryName, Tag } from '../../model/reference/reference.ts';
import { referrerEntry } from '../../registry/referrers.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { changeUntilItStays } from '../../registry/settled-change.ts';

interface End {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  /** As users write it. */
  readonly name: string;
}

/**
 * The index that a tag points at; undefined if it points at nothing.
 *
 * @throws OciError REFUSED for what is no OCI index
 */
export async function indexAt(
  { registry, repo, name }: End,
  tag: Tag,
  opts: SignalOption,
): Promise<Manifest | undefined> {
  const found = await unlessUnknown(registry.getManifest(repo, tag, { ...opts, beforePush: true }));
  if (found === undefined || found.mediaType === mediaTypes.ociIndex) return found;
  throw new OciError('REFUSED', `${name} is no OCI index that an artifact could be added to, but ${found.mediaType}`, {
    hint: 'name another tag, or leave --index out to replace what is there',
  });
}

interface Added extends SignalOption {
  readonly manifest: Manifest;
  readonly platform: Platform | undefined;
  /** All of them point at the index. The first one is that of `before`. */
  readonly tags: readonly Tag[];
}

/**
 * Adds an artifact to an index, in place of the one that has its type and platform there, and points tags at the index. Of
 * others who add to it at the same time nothing is lost: it is read again, and what is gone is added again.
 *
 * @param before The index as it is; undefined for a new one.
 * @returns The index.
 * @throws OciError REFUSED if something else was put under the tag meanwhile; UNAVAILABLE if others keep overwriting it
 */
export async function addToIndex(end: End, before: Manifest | undefined, added: Added): Promise<Descriptor> {
  const { tags, signal } = added;
  const [tag] = tags;
  let index: Descriptor | undefined;
  let found = before;
  await changeUntilItStays(
    `the index ${end.name}`,
    async () => {
      // The one that was given is not read again, and is written in any case: more tags shall point at it.
      if (index && tag !== undefined) found = await indexAt(end, tag, { signal });
      if (index && found && isKept(found, added)) {
        index = found.descriptor;
        return false;
      }
      index = await write(end, found, added);
      return tag !== undefined;
    },
    (ms) => setTimeout(ms, undefined, { signal }).catch(() => signal?.throwIfAborted()),
  );
  return index as Descriptor;
}

/** Whether an index has the artifact, or one that another client has put in its place. */
function isKept({ view }: Manifest, { manifest, platform }: Added): boolean {
  const { artifactType, digest } = referrerEntry(manifest.descriptor, manifest.view);
  return childrenOf(view).some((other) => other.digest === digest || isAlike(other, artifactType, platform));
}

async function write(
  { registry, repo }: End,
  before: Manifest | undefined,
  { manifest, platform, tags, signal }: Added,
): Promise<Descriptor> {
  const { artifactType, ...entry } = referrerEntry(manifest.descriptor, manifest.view);
  const isReplaced = (other: Descriptor): boolean =>
    other.digest === entry.digest || isAlike(other, artifactType, platform);
  const document = before ? parseJsonObject(before.bytes) : { schemaVersion: 2, mediaType: mediaTypes.ociIndex };
  const entries = asArray(document['manifests'] ?? [], 'manifests');
  const kept = entries.filter((one, i) => !isReplaced(parseDescriptor(asObject(one, 'manifests'), `manifests[${i}]`)));
  const added = {
    mediaType: entry.mediaType,
    digest: entry.digest,
    size: entry.size,
    ...(platform && { platform: platformObject(platform) }),
    ...(artifactType !== undefined && { artifactType }),
  };
  const bytes = Buffer.from(JSON.stringify({ ...document, manifests: [...kept, added] }));
  const mediaType = mediaTypes.ociIndex;
  return await registry.pushManifest(repo, { mediaType, bytes }, { tags, sparse: true, signal });
}

function isAlike(entry: Descriptor, artifactType: string | undefined, platform: Platform | undefined): boolean {
  if (platform === undefined || entry.platform === undefined || entry.artifactType !== artifactType) return false;
  return formatPlatform(entry.platform) === formatPlatform(platform);
}
