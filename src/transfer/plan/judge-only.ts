/** Finds out whether the source of a transfer lets an image be copied, and copies nothing. */
import type { Digest } from '../../model/digest.ts';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { childrenOf, type Manifest, type ManifestView } from '../../model/manifest/manifest.ts';
import type { Platform } from '../../model/platform/platform.ts';
import type { ArrivingImage } from '../../registry/admission.ts';
import { admitted } from '../admission.ts';
import type { TransferOptions } from '../options.ts';
import { findEntry, maxIndexDepth, noMatch } from '../platforms.ts';

/**
 * @returns By what it may be copied, in words; undefined if nothing is demanded.
 * @throws OciError UNTRUSTED if a transfer would fail with that; what the source throws.
 */
export async function judgeOnly(
  options: Pick<TransferOptions, 'from' | 'platforms' | 'signal'> & Pick<ArrivingImage, 'isUsed'>,
): Promise<string | undefined> {
  const { from, platforms, signal, isUsed } = options;
  const all = new Map<Digest, Manifest>();
  const get = async ({ digest }: Pick<Descriptor, 'digest'>): Promise<Manifest> => {
    const known = from.manifests?.find(({ descriptor }) => descriptor.digest === digest);
    return known ?? (await from.registry.getManifest(from.repo, digest, { signal }));
  };
  const choose = async (
    view: ManifestView,
    wanted: readonly Platform[] | undefined,
    depth: number,
  ): Promise<readonly Descriptor[]> => {
    if (view.kind !== 'index' || !wanted) return childrenOf(view);
    const chosen: Descriptor[] = [];
    for (const platform of wanted) {
      const entry = await findEntry(view, platform, get, depth);
      if (!entry) throw noMatch(view, platform);
      chosen.push(entry);
    }
    return chosen;
  };
  const visit = async (manifest: Manifest, wanted: readonly Platform[] | undefined, depth: number): Promise<void> => {
    const { descriptor, view } = manifest;
    if (all.has(descriptor.digest)) return;
    // As a transfer does: what is not seen here would not be judged.
    if (depth > maxIndexDepth) {
      throw new OciError('MANIFEST_INVALID', `index ${descriptor.digest} is nested too deeply`);
    }
    all.set(descriptor.digest, manifest);
    for (const entry of await choose(view, wanted, depth)) {
      const child = await (from.sparse ? unlessUnknown(get(entry)) : get(entry));
      if (child) await visit(child, entry.platform ? undefined : wanted, depth + 1);
    }
  };
  const { root, reference } = from;
  const manifest = root ? await get(root) : await from.registry.getManifest(from.repo, reference, { signal });
  const { by } = await admitted({ from: { ...from, root: manifest.descriptor }, signal, isUsed }, async (found) => {
    await visit(manifest, platforms, 0);
    found([...all.values()]);
  });
  return by;
}
