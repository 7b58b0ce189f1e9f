import { OciError } from '../../model/errors.ts';
import { type Reference, type StoreName, type Tag, toStoreName } from '../../model/reference/reference.ts';
import type { ArchivedImage } from './choose.ts';
import { targetOf } from './target.ts';

/** An image, and all the names that it gets in one repository of the store. */
export interface NamedImage {
  readonly repo: StoreName;
  readonly image: ArchivedImage;
  /** In the order of the archive: the first is told what was transferred. */
  readonly targets: readonly [Reference, ...Reference[]];
  readonly tags: ReadonlySet<Tag>;
}

/** One name of the archive: what it is a part of, or why the store can have none such. */
export type Turn =
  | { readonly image: ArchivedImage; readonly target: Reference; readonly named: NamedImage }
  | { readonly image: ArchivedImage; readonly error: OciError };

/** Brings together what one transfer can do. @returns What becomes of each name, in the order of the archive. */
export function byRepository(images: readonly ArchivedImage[]): readonly Turn[] {
  const all = new Map<string, NamedImage & { readonly targets: Reference[]; readonly tags: Set<Tag> }>();
  return images.map((image) => {
    try {
      const target = targetOf(image);
      const repo = toStoreName(target);
      const key = `${image.descriptor.digest} ${repo}`;
      const named = all.get(key) ?? { repo, image, targets: [target], tags: new Set() };
      if (all.has(key)) named.targets.push(target);
      if (target.digest === undefined && target.tag !== undefined) named.tags.add(target.tag);
      all.set(key, named);
      return { image, target, named };
    } catch (error) {
      if (error instanceof OciError) return { image, error };
      throw error;
    }
  });
}
