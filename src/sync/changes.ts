/** What is known of an image before it is moved. */
import { admission } from '../registry/admission.ts';
import type { LookedAt } from './look.ts';

/** `same`: it is at its destination; `new`: nothing is there under its name; `moves`: the name stands for something else. */
type Change = 'same' | 'new' | 'moves';

export function changeOf({ digest, before }: LookedAt): Change {
  if (before === undefined) return 'new';
  return before === digest ? 'same' : 'moves';
}

/**
 * Whether nothing need be asked any more. A registry with the digest has all that it names; a layout may not, and what
 * refers to an image may be new although the image is not. A policy judges also what is there.
 */
export function isSettled(image: LookedAt): boolean {
  const { from, source } = image.wanted;
  if (source.referrers || source.digestTags || from.registry.extension(admission)) return false;
  return changeOf(image) === 'same' && image.to?.sparse === false;
}
