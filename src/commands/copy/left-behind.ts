/** Tells what belongs to an image and was not copied, where finding that out costs no request. */
import type { Context, Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import { digestTagsOf } from '../../model/reference/digest-tag.ts';
import { manifestsBelow } from '../../registry/manifests-below.ts';
import type { PlannedCopy, Wish } from './image.ts';

/** More is not read for the sake of a note: a layout reads all its manifests for each question. */
const mostManifests = 50;
const mostTags = 100;

/** A note about what stays in a layout or in the local store. Silent about registries, which would have to be asked. */
export async function tellLeftBehind(
  { source, root: { from }, rewrittenFrom }: PlannedCopy,
  { referrers, digestTags, converts }: Wish,
  { terminal, signal }: Context,
): Promise<void> {
  if (rewrittenFrom !== undefined && referrers) {
    const count = await countReferrers(source, new Set([rewrittenFrom]), signal);
    const left = count === 1 ? '1 referrer stays' : `${count} referrers stay`;
    if (count > 0)
      terminal.note(`${left} behind: what refers to the index ${rewrittenFrom} is not about the smaller one`);
  }
  if (!source.kind.own || (referrers && digestTags)) return;
  try {
    const tags: string[] = [];
    for await (const tag of source.registry.tags(source.repo, { signal, limit: mostTags })) tags.push(tag);
    if (tags.length === mostTags) return;
    const digests = await digestsBelow(source, from.root?.digest, signal);
    const left: string[] = [];
    const flags: string[] = [];
    const say = (count: number, what: string, flag: string): void => {
      if (count === 0) return;
      left.push(`${count} ${what}${count === 1 ? '' : 's'}`);
      flags.push(flag);
    };
    if (!referrers) say(await countReferrers(source, digests, signal), 'referrer', '--referrers');
    if (!digestTags) {
      const wanted = new Set<string>([...digests].flatMap(digestTagsOf));
      say(tags.filter((tag) => wanted.has(tag)).length, 'signature tag', '--digest-tags');
    }
    const verb = left.length === 1 && left[0]?.startsWith('1 ') ? 'stays' : 'stay';
    const why = converts ? 'made for its digest before the conversion' : flags.join(' ');
    if (left.length > 0) terminal.note(`${left.join(' and ')} of ${source.name} ${verb} behind: ${why}`);
  } catch (error) {
    // The image is copied: what is wrong with something else is not its failure.
    if (!(error instanceof OciError) || signal.aborted) throw error;
  }
}

async function digestsBelow(place: Place, root: Digest | undefined, signal: AbortSignal): Promise<ReadonlySet<Digest>> {
  const { registry, repo } = place;
  const manifest = root && (await unlessUnknown(registry.getManifest(repo, root, { signal })));
  if (!manifest) return new Set(root ? [root] : []);
  return new Set((await manifestsBelow(place, manifest, { most: mostManifests, sparse: true, signal })).keys());
}

async function countReferrers(
  { registry, repo }: Place,
  subjects: ReadonlySet<Digest>,
  signal: AbortSignal,
): Promise<number> {
  const found = new Set<Digest>();
  for (const subject of subjects) {
    for await (const { digest } of registry.referrers(repo, subject, { signal })) found.add(digest);
  }
  return found.size;
}
