/** Images whose content a command reads itself, where no transfer asks the policy: it is asked before. */
import type { Context, Place, ServiceFlags } from '../../app/context.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { readFrom } from '../../places/place.ts';
import { admission } from '../../registry/admission.ts';
import { judgeOnly } from '../../transfer/plan/judge-only.ts';

/** @param platforms Which images of an index are read; default: all. */
interface JudgeOptions {
  readonly platforms?: readonly Platform[] | undefined;
  readonly signal: AbortSignal;
}

/**
 * The same place at the digest that its reference has now, if a policy judges it: what is read there afterwards is what was
 * judged, also if the tag moves.
 *
 * @throws OciError UNTRUSTED; what reading throws
 */
export async function judged(place: Place, { platforms, signal }: JudgeOptions): Promise<Place> {
  const registry = place.registry.extension(admission)?.registry;
  if (!registry) return place;
  return await readFrom(place, async () => {
    const root = await registry.statManifest(place.repo, place.reference, { signal });
    await judgeOnly({ from: { ...place, root }, platforms, signal, isUsed: true });
    return { ...place, registry, reference: root.digest };
  });
}

/** Opens an image, and has it judged. @throws OciError as opening, and {@link judged} */
export async function openJudged(
  word: string,
  flags: ServiceFlags,
  context: Context,
  platforms?: readonly Platform[],
): Promise<Place> {
  const place = await context.openPlace(word, 'source', flags);
  try {
    return await judged(place, { platforms, signal: context.signal });
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}
