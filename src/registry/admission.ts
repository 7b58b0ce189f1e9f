/** Whether images of a registry may be copied from there: the seam where a policy is obeyed by everything that copies. */
import type { Digest } from '../model/digest.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import { type ExtensionKey, extensionKey } from './extension-key.ts';
import type { SignalOption } from './options.ts';
import type { Registry } from './registry.ts';

/** An image that is about to be copied. */
export interface ArrivingImage {
  readonly repo: RepositoryName;
  /** What was asked for: a tag, or a digest. */
  readonly reference: Tag | Digest;
  /** The digest that this stood for. It is an index if what is copied was chosen from one, or is one. */
  readonly named: Digest;
  /** Whether its content is used at once, in place of a copy of it. Default false. */
  readonly isUsed?: boolean | undefined;
  /** All manifests that are copied, without what refers to them. It waits until they are known, and rejects if they cannot be. */
  manifests(): Promise<readonly Manifest[]>;
}

interface Admission {
  /**
   * Resolves if an image may be copied. A transfer asks before it moves a blob, and copies the digests that were judged.
   *
   * @returns By what it may, in words for people.
   * @throws OciError UNTRUSTED if it may not; what the judge's own reads fail with.
   */
  admit(image: ArrivingImage, opts?: SignalOption): Promise<string>;
  /** The registry without this condition, for what was admitted. */
  readonly registry: Registry;
}

/** Ask a source for its {@link Admission}; a source without one lets everything be copied. */
export const admission: ExtensionKey<Admission> = extensionKey<Admission>('admission');
