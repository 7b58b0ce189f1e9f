import type { Context, ServiceFlags } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { type Place, readFrom } from '../../places/place.ts';
import { resolveImage } from '../../transfer/platforms.ts';
import type { Judged } from '../../trust/verify/image.ts';
import type { Verdict } from '../../trust/verify/verdict.ts';
import { value } from '../command-line/command.ts';
import { parseOnePlatform } from '../command-line/option-values.ts';
import { platformWords } from '../command-line/options.ts';

/** Of commands that verify. */
export const verifiedPlatform = value('--platform <os/arch>', 'Of an index, verify the image for this platform', {
  choices: platformWords,
});

/** As the trust layer has them, which is loaded when the command runs. */
export const referenceRules = ['any', 'repository', 'exact'] as const;

/** What judging takes beside the place. */
interface JudgeOptions {
  readonly signal: AbortSignal;
  readonly subject: (() => Promise<Digest>) | undefined;
}

/** How verdicts that do not count, or all, are told. */
interface Telling<V extends Verdict> {
  readonly what: 'signature' | 'attestation';
  readonly notCounted: (verdicts: readonly V[]) => readonly string[];
}

/**
 * Judges the image that a word names.
 *
 * @throws OciError UNTRUSTED if nothing counts; why is told before
 */
export async function judgeOne<V extends Verdict>(
  word: string,
  flags: ServiceFlags & { readonly platform: string | undefined },
  context: Context,
  judge: (place: Place, options: JudgeOptions) => Promise<Judged<V>>,
  { what, notCounted }: Telling<V>,
): Promise<Judged<V>> {
  const { signal, terminal } = context;
  const platform = flags.platform === undefined ? undefined : parseOnePlatform(flags.platform);
  await using place = await context.openPlace(word, 'source', flags);
  const subject = platform && (async () => (await resolveImage(place, platform, { signal })).descriptor.digest);
  const judged = await readFrom(place, () => judge(place, { signal, subject }));
  const { untrusted } = await import('../../trust/verify/image.ts');
  const failure = untrusted(judged, what, 'above');
  if (!failure) return judged;
  for (const line of notCounted(judged.verdicts)) terminal.note(`${judged.image}: ${line}`);
  throw failure;
}
