/** Finds out what the reader of an archive has. Part of the composition root, loaded only by `save --since`. */
import { stat } from 'node:fs/promises';
import { readReceipt } from '../archive/receipt.ts';
import type { Digest } from '../model/digest.ts';
import { OciError, unlessUnknown } from '../model/errors.ts';
import { blobsOf, childrenOf } from '../model/manifest/manifest.ts';
import type { Tag } from '../model/reference/reference.ts';
import type { Place } from '../places/place.ts';
import { isReference } from '../places/places.ts';
import type { SignalOption } from '../registry/registry.ts';

/** What a place has: a blob is asked for by its digest. Disposing it closes the place. */
export interface BaseContent extends AsyncDisposable {
  /** The file that it is read from, if it is one. */
  readonly file?: string | undefined;
  has(digest: Digest, opts?: SignalOption): Promise<boolean>;
}

/** Deeper nesting is treated as an attack. */
const maxDepth = 16;

/**
 * @param word A receipt's file, or a place: an image, whose blobs are meant, or a repository, a layout or an archive, of
 * which every blob is.
 * @param open Opens a place.
 * @throws OciError as {@link readReceipt} and opening do; MANIFEST_UNKNOWN for an image that is not there.
 */
export async function openBaseContent(
  word: string,
  open: (word: string) => Promise<Place>,
  opts: SignalOption = {},
): Promise<BaseContent> {
  if (isReference(word) && (await isFile(word))) {
    const digests = new Set([...(await readReceipt(word)).values()].flatMap((set) => [...set]));
    return { file: word, has: async (digest) => digests.has(digest), [Symbol.asyncDispose]: async () => {} };
  }
  // The likeliest mistake: Docker Hub would be asked for an image of that name.
  if (isReference(word) && /^[^:@]*\.json$/.test(word)) {
    throw new OciError('USAGE', `there is no receipt ${word}`, {
      hint: 'check the path: ocictl load --receipt FILE writes one; an image of that name is written with its tag',
    });
  }
  const place = await open(word);
  const close = async (): Promise<void> => place[Symbol.asyncDispose]();
  try {
    const has = place.named ? await blobsBelow(place, opts) : blobsAt(place);
    return { file: place.replaced, has, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function blobsAt({ registry, repo }: Place): BaseContent['has'] {
  return async (digest, opts) =>
    (await unlessUnknown(registry.statBlob(repo, digest, opts), 'BLOB_UNKNOWN', 'NAME_UNKNOWN')) !== undefined;
}

async function blobsBelow(place: Place, opts: SignalOption): Promise<BaseContent['has']> {
  const { registry, repo, reference } = place;
  const blobs = new Set<Digest>();
  const seen = new Set<Tag | Digest>();
  const visit = async (at: Tag | Digest, depth: number): Promise<void> => {
    if (seen.has(at) || depth > maxDepth) return;
    seen.add(at);
    const read = registry.getManifest(repo, at, opts);
    // Of the images of an index, a sparse place has some.
    const manifest = depth === 0 ? await read : await unlessUnknown(read);
    if (!manifest) return;
    for (const { digest } of blobsOf(manifest.view)) blobs.add(digest);
    for (const { digest } of childrenOf(manifest.view)) await visit(digest, depth + 1);
  };
  await visit(reference, 0).catch((error: unknown) => {
    throw place.explain(error);
  });
  return async (digest) => blobs.has(digest);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}
