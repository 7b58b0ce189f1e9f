/** `--save FILE`: an archive of the manifests that go. The registry still has their blobs for a while. */
import type { ArchiveWriter, Context, Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import { blobsOf, childrenOf, type Manifest } from '../../model/manifest/manifest.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { expectedContent } from '../../registry/expected-content.ts';
import { value } from '../command-line/command.ts';
import type { References } from '../command-line/several.ts';

/** What is put back together: a manifest and the tags that pointed at it. */
export interface TaggedManifest {
  readonly digest: Digest;
  readonly tags: readonly Tag[];
}

const maxBytes = 64 * 1024 * 1024;

/** @throws OciError USAGE */
export function refuseDrySave({ dryRun, save }: { readonly dryRun: boolean; readonly save: string | undefined }): void {
  if (!dryRun || save === undefined) return;
  throw new OciError('USAGE', 'conflicting options: --save and --dry-run, which writes nothing', {
    hint: 'leave one of them out',
  });
}

export const saveOption = value(
  '--save <file>',
  'First keep the manifests that go in this new archive, without their blobs',
);

/**
 * Opens the archive before the first request.
 *
 * @returns Undefined without a file.
 * @throws OciError USAGE for several references; REFUSED for a file that exists; STORAGE_*
 */
export async function createKeptManifests(
  file: string | undefined,
  { several }: Pick<References, 'several'>,
  context: Context,
): Promise<ArchiveWriter | undefined> {
  if (file === undefined) return undefined;
  if (several) {
    throw new OciError('USAGE', '--save keeps what one reference names, and several are given', {
      hint: 'delete them one after the other, each with a file of its own',
    });
  }
  if (file === '-') {
    throw new OciError('USAGE', '--save takes a file: standard output has the names of what was deleted', {
      hint: 'name a file',
    });
  }
  const platform = await context.defaultPlatform();
  // Its blobs are left out, as if its reader had them.
  return await context.createArchive({ file, isNew: true, outer: 'none', platform, hasBlob: async () => true });
}

/**
 * Writes the archive, durably: with the manifests that an index names as well, as far as they are there.
 *
 * @throws OciError what reading throws; TOO_LARGE; UNSUPPORTED for schema 1; STORAGE_*. Then there is no file.
 */
export async function keepManifests(
  { registry, repo }: Place,
  going: readonly TaggedManifest[],
  archive: ArchiveWriter,
  signal: AbortSignal,
): Promise<void> {
  const content = archive.registry.extension(expectedContent);
  if (!content) throw new TypeError('the archive takes no images');
  const known = new Map<Digest, Manifest>();
  let left = maxBytes;
  const read = async (digest: Digest, isRoot: boolean): Promise<Manifest | undefined> => {
    const before = known.get(digest);
    if (before) return before;
    const reading = registry.getManifest(repo, digest, { signal });
    const manifest = await (isRoot ? reading : unlessUnknown(reading));
    if (!manifest) return undefined;
    left -= manifest.descriptor.size;
    if (left < 0) {
      throw new OciError('TOO_LARGE', `the manifests have more than ${maxBytes} bytes: nothing was deleted`, {
        hint: 'delete fewer at once, or leave --save out',
      });
    }
    known.set(digest, manifest);
    return manifest;
  };
  for (const { digest, tags } of going) {
    const digests = new Set([digest]);
    const manifests: Manifest[] = [];
    // A set that grows is walked to its end.
    for (const each of digests) {
      const manifest = await read(each, each === digest);
      if (!manifest) continue;
      manifests.push(manifest);
      for (const child of childrenOf(manifest.view)) digests.add(child.digest);
    }
    const [root] = manifests;
    if (!root) continue;
    content.expect({
      root: root.descriptor,
      names: new Map([[digest, tags]]),
      manifests,
      blobs: manifests.flatMap(({ view }) => blobsOf(view)),
      open: async () => {
        throw new TypeError('an archive of manifests reads no blob');
      },
    });
  }
  content.complete();
  for (const { mediaType, bytes, descriptor } of known.values()) {
    await archive.registry.pushManifest(repo, { mediaType, bytes }, { digest: descriptor.digest, signal });
  }
  await archive.finish({ signal });
}
