import type { Context, Place, ServiceFlags } from '../../app/context.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { readFrom } from '../../places/place.ts';
import { judgeNow } from '../../transfer/plan/judge-now.ts';

/** Opens an image, and has it judged. @throws OciError as opening, and {@link judgeNow} */
export async function openJudged(
  word: string,
  flags: ServiceFlags,
  context: Context,
  platforms?: readonly Platform[],
): Promise<Place> {
  const place = await context.openPlace(word, 'source', flags);
  try {
    return await readFrom(place, () => judgeNow(place, { platforms, signal: context.signal }));
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}
