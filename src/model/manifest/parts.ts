import type { Descriptor } from './descriptor.ts';
import { blobsOf, childrenOf, type ManifestView } from './manifest.ts';
import { isForeignLayerType, isManifestType } from './media-types.ts';

/** A blob as one manifest names it. */
export interface Part {
  readonly descriptor: Descriptor;
  readonly kind: 'config' | 'layer';
  /** Whether it may be absent: a foreign layer, or an entry of an index. */
  readonly optional: boolean;
}

/** The blobs that a manifest names. Entries of an index that are no manifests are blobs too, as in build caches. */
export function partsOf(view: ManifestView): readonly Part[] {
  const config = view.kind === 'image' ? view.config.digest : undefined;
  const entries = childrenOf(view).filter(({ mediaType }) => !isManifestType(mediaType));
  return [
    ...blobsOf(view).map((descriptor): Part => {
      const optional = isForeignLayerType(descriptor.mediaType) || (descriptor.urls ?? []).length > 0;
      return { descriptor, kind: descriptor.digest === config ? 'config' : 'layer', optional };
    }),
    ...entries.map((descriptor): Part => ({ descriptor, kind: 'layer', optional: true })),
  ];
}
