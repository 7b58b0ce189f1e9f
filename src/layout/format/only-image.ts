import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { isDigestTag } from '../../model/reference/digest-tag.ts';
import { type Tag, tryParseTag } from '../../model/reference/reference.ts';
import type { ExtensionKey } from '../../registry/extensions.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { namesOf } from './index-entries.ts';
import { loadManifest, unlessDamaged } from './manifests.ts';
import type { ReadableLayout } from './readable-layout.ts';

/** An entry of index.json. */
interface RootImage {
  readonly digest: Digest;
  /** Its name: a tag, a full reference or another name. */
  readonly name?: string;
  /** Whether it belongs to another image: it has a subject, or is named after a digest as signatures are. */
  readonly isAttached: boolean;
}

/** The entries of index.json, in order. */
interface RootImages {
  rootImages(opts?: SignalOption): Promise<readonly RootImage[]>;
  /** The names of all entries, including tags. Manifests are not read. */
  names(): Promise<readonly string[]>;
}
export const rootImages: ExtensionKey<RootImages> = Object.freeze({ name: 'root-images' });

const maxNamesShown = 20;

/**
 * The image that a layout's directory refers to without a tag: the only one, not counting what belongs to it.
 *
 * @returns Its tag if it has exactly one, else its digest.
 * @throws OciError MANIFEST_UNKNOWN if there is none, REFERENCE_INVALID that lists the names if there are several,
 * UNSUPPORTED for a registry that is not a layout.
 */
export async function onlyImage(registry: Registry, opts?: SignalOption): Promise<Tag | Digest> {
  const images = await registry.extension(rootImages)?.rootImages(opts);
  if (images === undefined) throw new OciError('UNSUPPORTED', `${registry.name} is not an OCI layout: name a tag`);
  const own = images.filter((image) => !image.isAttached);
  const candidates = own.length > 0 ? own : images;
  const [first] = candidates;
  if (first === undefined) throw new OciError('MANIFEST_UNKNOWN', `${registry.name} holds no image`);
  if (candidates.some(({ digest }) => digest !== first.digest)) throw severalImages(registry.name, candidates);
  const tags = candidates.flatMap(({ name }) => tryParseTag(name) ?? []);
  return tags.length === 1 && tags[0] !== undefined ? tags[0] : first.digest;
}

export function createRootImages(layout: ReadableLayout): RootImages {
  return {
    names: async () => namesOf(await layout.index.read()),

    async rootImages(opts) {
      opts?.signal?.throwIfAborted();
      const images: RootImage[] = [];
      for (const { descriptor, refName, imageName } of (await layout.index.read()).entries) {
        if (descriptor === undefined) continue;
        opts?.signal?.throwIfAborted();
        const manifest = await unlessDamaged(() => loadManifest(layout, descriptor));
        const name = refName ?? imageName;
        const isAttached = manifest?.view.subject !== undefined || (name !== undefined && isDigestTag(name));
        images.push({ digest: descriptor.digest, ...(name !== undefined && { name }), isAttached });
      }
      return images;
    },
  };
}

function severalImages(layoutName: string, images: readonly RootImage[]): OciError {
  const names = images.map(({ name, digest }) => (name === undefined ? digest : shown(name)));
  const more = names.length > maxNamesShown ? ` and ${names.length - maxNamesShown} more` : '';
  return new OciError(
    'REFERENCE_INVALID',
    `${layoutName} holds ${names.length} images: ${names.slice(0, maxNamesShown).join(', ')}${more}`,
    { hint: `name one of them, as in ${layoutName}:NAME` },
  );
}

function shown(name: string): string {
  return tryParseTag(name) ?? quote(name);
}
