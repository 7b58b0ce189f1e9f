/** Signs a manifest, or all manifests of an index, in the forms that are asked for. */
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { inOrder } from '../../model/in-order.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { childrenOf, type Manifest } from '../../model/manifest/manifest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { signInBundle } from './bundle.ts';
import { signUnderTag } from './tag.ts';
import { type SignatureFormat, type SignRequest, type WrittenSignature, writeForms } from './written.ts';

const maxManifests = 1000;
const manifestsAtOnce = 8;

/**
 * @param created When the bundle says that it was made.
 * @param onNoBundle Called if a bundle is refused while there is a tag; may throw.
 * @throws OciError REFUSED if the tag for signatures holds something else; UNAVAILABLE
 */
export async function signManifest(
  request: SignRequest & { readonly annotations: Readonly<Record<string, string>> },
  format: SignatureFormat,
  created: Date,
  onNoBundle: (error: unknown) => void,
): Promise<readonly WrittenSignature[]> {
  const { annotations } = request;
  const write = {
    tag: () => signUnderTag(request, annotations),
    bundle: () => signInBundle(request, annotations, created),
  };
  return writeForms(format, write, onNoBundle);
}

/**
 * The manifest and, of an index, everything below it, each once.
 *
 * @throws OciError TOO_LARGE for more than a thousand
 */
export async function manifestsBelow(
  { registry, repo }: { readonly registry: Registry; readonly repo: RepositoryName },
  root: Manifest,
  { signal }: SignalOption = {},
): Promise<readonly Descriptor[]> {
  const found = new Map<Digest, Descriptor>([[root.descriptor.digest, root.descriptor]]);
  const read = (digest: Digest): Promise<Manifest> => registry.getManifest(repo, digest, { signal });
  for (let level: readonly Manifest[] = [root]; level.length > 0; ) {
    const named = level.flatMap(({ view }) => childrenOf(view).map(({ digest }) => digest));
    const digests = new Set(named.filter((digest) => !found.has(digest)));
    if (found.size + digests.size > maxManifests) {
      throw new OciError('TOO_LARGE', `${root.descriptor.digest} has more than ${maxManifests} manifests`);
    }
    const below: Manifest[] = [];
    for await (const child of inOrder(digests, manifestsAtOnce, read)) {
      found.set(child.descriptor.digest, child.descriptor);
      below.push(child);
    }
    level = below;
  }
  return [...found.values()];
}
