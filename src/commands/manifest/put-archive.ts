/** `manifest put NAME oci-archive:FILE`: undoes `delete --save FILE`. */
import type { Context, LoadableArchive, Place, ServiceFlags } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError, OciError, unlessUnknown } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { childrenOf, type Manifest } from '../../model/manifest/manifest.ts';
import { quote } from '../../model/quote.ts';
import { type Tag, tryParseTag } from '../../model/reference/reference.ts';
import { digestOfTag } from '../../registry/tags.ts';
import { formatJson } from '../../terminal/json.ts';
import { openTarget } from '../moving/open-target.ts';

interface Words {
  /** The repository. */
  readonly word: string;
  /** Path of the archive. */
  readonly file: string;
}

/**
 * Puts all manifests of an archive into a repository. What a manifest names comes before it, and so does its subject.
 *
 * @throws OciError USAGE for a tag or digest; ARCHIVE_INVALID; REFUSED for a tag that points at something else;
 * MANIFEST_BLOB_UNKNOWN if the registry has removed what a manifest names.
 */
export async function putArchive(
  { word, file }: Words,
  options: ServiceFlags & { readonly json: boolean },
  context: Context,
): Promise<void> {
  const { terminal, signal } = context;
  await using archive = await context.openArchive(file);
  const tags = tagsIn(archive);
  await using place = await openTarget(word, options, context);
  if (place.named) {
    throw new OciError('USAGE', `${word} names an image, and the archive says the tags of its images`, {
      hint: `leave the tag out: ${place.repository}`,
    });
  }
  await refuseMoved(place, tags, signal);
  const put: Descriptor[] = [];
  for await (const manifest of inOrder(archive, signal)) {
    const { digest } = manifest.descriptor;
    await pushOne(place, manifest, tags.get(digest) ?? [], signal);
    if (tags.has(digest)) put.push(manifest.descriptor);
  }
  await place.finish();
  for (const descriptor of put) {
    const reference = `${place.repository}@${descriptor.digest}`;
    const record = { reference, ...descriptor, tags: tags.get(descriptor.digest) };
    await terminal.out(`${options.json ? formatJson(record) : reference}\n`);
  }
}

/** The tags of what the archive lists; none for what is found by its digest or subject. */
function tagsIn({ images, faults, hasEnd, shown }: LoadableArchive): ReadonlyMap<Digest, readonly Tag[]> {
  const [fault] = faults;
  if (fault) throw fault.error;
  const invalid = (problem: string, hint: string): OciError =>
    new OciError('ARCHIVE_INVALID', `${shown} ${problem}`, { hint });
  if (!hasEnd) throw invalid('is cut off: it has no end', 'copy it again; nothing was written');
  if (images.length === 0) throw invalid('lists no manifests', 'name a file that ocictl delete --save wrote');
  const tags = new Map<Digest, readonly Tag[]>();
  for (const { name, descriptor } of images) {
    const tag = name === undefined ? undefined : tryParseTag(name);
    if (name !== undefined && tag === undefined) {
      throw invalid(`has an image of the name ${quote(name)}`, 'such an archive is put into a registry by ocictl copy');
    }
    tags.set(descriptor.digest, [...(tags.get(descriptor.digest) ?? []), ...(tag === undefined ? [] : [tag])]);
  }
  return tags;
}

/** @throws OciError REFUSED before anything is written. */
async function refuseMoved(
  { registry, repo, repository }: Place,
  tags: ReadonlyMap<Digest, readonly Tag[]>,
  signal: AbortSignal,
): Promise<void> {
  for (const [digest, names] of tags) {
    for (const tag of names) {
      const now = await digestOfTag(registry, repo, tag, { signal });
      if (now === undefined || now === digest) continue;
      throw new OciError('REFUSED', `${repository}:${tag} points at ${now} by now; nothing was written`, {
        hint: `delete that tag first: ocictl delete ${repository}:${tag}`,
      });
    }
  }
}

async function* inOrder(archive: LoadableArchive, signal: AbortSignal): AsyncGenerator<Manifest> {
  const { registry, repo, images } = archive;
  const listed = new Set(images.map(({ descriptor }) => descriptor.digest));
  const seen = new Set<Digest>();
  const visit = async function* (digest: Digest): AsyncGenerator<Manifest> {
    if (seen.has(digest)) return;
    seen.add(digest);
    const read = registry.getManifest(repo, digest, { signal });
    // Of an index, the repository may have had some images only.
    const manifest = listed.has(digest) ? await read : await unlessUnknown(read);
    if (!manifest) return;
    for (const child of childrenOf(manifest.view)) yield* visit(child.digest);
    const subject = manifest.view.subject?.digest;
    if (subject !== undefined && listed.has(subject)) yield* visit(subject);
    yield manifest;
  };
  for (const digest of listed) yield* visit(digest);
}

async function pushOne(
  { registry, repo, repository }: Place,
  { mediaType, bytes, descriptor: { digest } }: Manifest,
  tags: readonly Tag[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await registry.pushManifest(repo, { mediaType, bytes }, { tags, digest, signal });
  } catch (error) {
    if (!isOciError(error, 'MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN')) throw error;
    const problem = `${repository} lacks what ${digest} is made of: ${error.message}`;
    throw new OciError('MANIFEST_BLOB_UNKNOWN', problem, {
      hint: 'the registry has removed it since, and the archive has manifests alone: push or copy the image again',
      cause: error,
    });
  }
}
