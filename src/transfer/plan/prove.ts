/** Proves that an image is complete where it was copied to. */
import { type Digest, parseDigest } from '../../model/digest.ts';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { blobsOf, childrenOf, type Manifest } from '../../model/manifest/manifest.ts';
import { isForeignLayerType } from '../../model/manifest/media-types.ts';
import type { Tag } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { TransferEnd, TransferResult, TransferRoot } from '../options.ts';
import { Slots } from '../slots.ts';

const looksAtOnce = 8;
/** More are counted, not named. */
const namedAtMost = 10;

interface Proof {
  readonly manifests: number;
  readonly blobs: number;
}

interface ProofOptions extends SignalOption {
  /** Whether the bytes of all blobs are read and their digests compared. Manifests are always read. */
  readonly bytes: boolean;
}

/**
 * Reads every manifest at the destination and looks up every blob that these name.
 *
 * @param copied What was copied.
 * @throws OciError MANIFEST_UNKNOWN naming what is missing, SIZE_MISMATCH naming blobs of another size, DIGEST_MISMATCH.
 */
export async function proveCopy(
  { to, foreignLayers }: Pick<TransferRoot, 'to' | 'foreignLayers'>,
  copied: Pick<TransferResult, 'root' | 'referrers' | 'digestTags' | 'omitted'>,
  { bytes, signal }: ProofOptions,
): Promise<Proof> {
  const missing: string[] = [];
  const wrong: string[] = [];
  const manifests = new Set<Digest>();
  const blobs = new Map<Digest, Descriptor>();
  const omitted = new Set(copied.omitted.map(({ digest }) => digest));
  const walk = async (reference: Tag | Digest): Promise<void> => {
    const manifest = await read(to, reference, signal);
    if (!manifest) {
      missing.push(`manifest ${reference}`);
      return;
    }
    const { view, descriptor } = manifest;
    if (manifests.has(descriptor.digest)) return;
    manifests.add(descriptor.digest);
    for (const blob of blobsOf(view)) {
      if (foreignLayers !== 'skip' || !isForeignLayerType(blob.mediaType)) blobs.set(blob.digest, blob);
    }
    for (const { digest } of childrenOf(view)) {
      if (!manifests.has(digest) && !(to.sparse && omitted.has(digest))) await walk(digest);
    }
  };
  await walk(copied.root.digest);
  for (const { digest } of copied.referrers) await walk(digest);
  for (const tag of copied.digestTags) await walk(tag);
  for (const tag of to.tags) {
    const there = await unlessUnknown(to.registry.statManifest(to.repo, tag, { signal }));
    if (!there) missing.push(`tag ${tag}`);
    else if (there.digest !== copied.root.digest) wrong.push(`tag ${tag}, which points at ${there.digest}`);
  }
  const slots = new Slots(looksAtOnce);
  const look = async (blob: Descriptor): Promise<void> => {
    const there = await unlessUnknown(
      to.registry.statBlob(to.repo, blob.digest, { signal }),
      'BLOB_UNKNOWN',
      'NAME_UNKNOWN',
    );
    if (!there) missing.push(`blob ${blob.digest}`);
    else if (there.size !== blob.size) wrong.push(`blob ${blob.digest} of ${there.size} bytes instead of ${blob.size}`);
    else if (bytes) await readBytes(to, blob, signal);
  };
  await Promise.all([...blobs.values()].map((blob) => slots.run(() => look(blob))));
  if (missing.length > 0) throw new OciError('MANIFEST_UNKNOWN', `the copy lacks ${listed(missing)}`, { hint });
  if (wrong.length > 0) throw new OciError('SIZE_MISMATCH', `the copy has ${listed(wrong)}`, { hint });
  return { manifests: manifests.size, blobs: blobs.size };
}

const hint = 'something else changes it there, or the registry lost it: copy it again';

async function read(
  { registry, repo }: TransferEnd,
  reference: Tag | Digest,
  signal: AbortSignal | undefined,
): Promise<Manifest | undefined> {
  return await unlessUnknown(registry.getManifest(repo, reference, { signal }));
}

async function readBytes(
  { registry, repo }: TransferEnd,
  blob: Descriptor,
  signal: AbortSignal | undefined,
): Promise<void> {
  // By its digest alone: a descriptor may have the content in it.
  const content = await registry.getBlob(repo, parseDigest(blob.digest), { signal, verify: true });
  await content.drainTo({ write: async () => {} }, { signal });
}

function listed(names: readonly string[]): string {
  const more = names.length > namedAtMost ? ` and ${names.length - namedAtMost} more` : '';
  return names.slice(0, namedAtMost).join(', ') + more;
}
