/** Images whose content is read where no transfer asks the policy: it is asked before. */
import type { Platform } from '../../model/platform/platform.ts';
import { admission } from '../../registry/admission.ts';
import type { TransferEnd, TransferOptions } from '../options.ts';
import { judgeOnly } from './judge-only.ts';

/** @param platforms Which images of an index are read; default: all. */
interface JudgeOptions {
  readonly platforms?: readonly Platform[] | undefined;
  readonly signal: AbortSignal;
}

/**
 * The same source at the digest that its reference has now, if a policy judges it: what is read there afterwards is what was
 * judged, also if the tag moves.
 *
 * @throws OciError UNTRUSTED; what reading throws
 */
export async function judgeNow<T extends TransferEnd & Pick<TransferOptions['from'], 'reference'>>(
  from: T,
  { platforms, signal }: JudgeOptions,
): Promise<T> {
  const registry = from.registry.extension(admission)?.registry;
  if (!registry) return from;
  const root = await registry.statManifest(from.repo, from.reference, { signal });
  await judgeOnly({ from: { ...from, root }, platforms, signal, isUsed: true });
  return { ...from, registry, reference: root.digest };
}
