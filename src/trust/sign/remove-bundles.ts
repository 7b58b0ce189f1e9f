import type { Digest } from '../../model/digest.ts';
import { isOciError, unlessUnknown } from '../../model/errors.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { readContent } from '../../registry/content.ts';
import { isBundleType, readBundle } from '../formats/bundle.ts';
import { readStatement } from '../formats/statement.ts';
import { maxAttestationBytes } from '../verify/layers.ts';
import { mayBeBundle } from '../verify/referrers.ts';
import { isFault } from '../verify/verdict.ts';
import type { SignRequest } from './written.ts';

/**
 * Removes bundles with attestations of a type, whoever signed them: cosign replaces those under a tag likewise.
 *
 * @param except One that stays.
 * @param onRefused Called for one that the registry does not delete; may throw.
 * @returns How many were removed.
 */
export async function removeBundles(
  request: SignRequest,
  predicateType: string,
  except: Tag | Digest,
  onRefused: (at: Digest, error: unknown) => void,
): Promise<number> {
  const { registry, repo, subject, signal } = request;
  const found: Digest[] = [];
  for await (const { digest, artifactType } of registry.referrers(repo, subject.digest, { signal })) {
    if (digest !== except && mayBeBundle(artifactType) && (await typeOf(digest, request)) === predicateType) {
      found.push(digest);
    }
  }
  let removed = 0;
  for (const digest of found) {
    try {
      await unlessUnknown(registry.deleteManifest(repo, digest, { signal }));
      removed += 1;
    } catch (error) {
      if (!isOciError(error, 'UNSUPPORTED', 'DENIED', 'UNAUTHORIZED')) throw error;
      onRefused(digest, error);
    }
  }
  return removed;
}

/** The type of what a bundle attests of the manifest; undefined if it does not. No signature is verified. */
async function typeOf(at: Digest, request: SignRequest): Promise<string | undefined> {
  const { registry, repo, subject, signal } = request;
  try {
    const { view } = await registry.getManifest(repo, at, { signal });
    if (view.kind !== 'image' || view.subject?.digest !== subject.digest) return undefined;
    const [layer, another] = view.layers.filter(({ mediaType }) => isBundleType(mediaType));
    if (!layer || another) return undefined;
    const bytes = await readContent(await registry.getBlob(repo, layer, { signal }), maxAttestationBytes);
    return readStatement(readBundle(bytes).payload, subject.digest).predicateType;
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}
