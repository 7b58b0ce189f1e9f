import type { Digest } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import type { Tag } from '../model/reference/reference.ts';
import type { Content } from './content.ts';
import { extensionKey } from './extension-key.ts';
import type { SignalOption } from './options.ts';

/** All that a transfer will bring for one image. */
export interface ExpectedImage {
  readonly root: Descriptor;
  /** What will point at the root, and at what belongs to it. */
  readonly names: ReadonlyMap<Digest, readonly Tag[]>;
  /** The root, the manifests that it names, and referrers. */
  readonly manifests: readonly Manifest[];
  /** Blobs of all manifests, as they will be at the destination. */
  readonly blobs: readonly Descriptor[];
  /** Opens one of these blobs at the source, besides its push. */
  readonly open: (blob: Descriptor, opts?: SignalOption) => Promise<Content>;
}

/**
 * A destination that must know everything before its first byte, because it is one file: an archive. Its blobs then come
 * in any order. A transfer tells it of every image first; until `complete`, pushes wait there.
 */
interface ExpectedContent {
  /** @throws OciError UNSUPPORTED if the destination cannot hold such an image; TOO_LARGE. */
  expect(image: ExpectedImage): void;
  /** No image follows. */
  complete(): void;
}
/** `registry.extension(expectedContent)`; no wrapper forwards it. */
export const expectedContent = extensionKey<ExpectedContent>('expected-content');
