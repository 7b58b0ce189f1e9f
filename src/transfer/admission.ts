/** Asks the source of a transfer whether an image may be copied, while its manifests are read. */
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import { type ArrivingImage, admission } from '../registry/admission.ts';
import type { TransferOptions } from './options.ts';

/** Whether a policy judges what is copied: it then has to see all manifests, also those that the destination has. */
export function isJudged({ from }: Pick<TransferOptions, 'from'>): boolean {
  return from.registry.extension(admission) !== undefined;
}

interface Judging extends Pick<TransferOptions, 'signal'>, Pick<ArrivingImage, 'isUsed'> {
  readonly from: TransferOptions['from'] & { readonly root: Descriptor };
}

/**
 * Runs a walk over the manifests of an image, and judges them meanwhile.
 *
 * @param walk Calls `found` with all manifests of the image, as soon as they are known.
 * @returns What the walk gives, and by what the image may be copied.
 * @throws OciError UNTRUSTED; what the walk throws. Both have ended by then.
 */
export async function admitted<T>(
  { from, signal, isUsed }: Judging,
  walk: (found: (manifests: readonly Manifest[]) => void) => Promise<T>,
): Promise<{ readonly walked: T; readonly by: string | undefined }> {
  const judge = from.registry.extension(admission);
  const { root, asked = { reference: from.reference, digest: root.digest } } = from;
  if (!judge) return { walked: await walk(() => {}), by: undefined };
  let [found, failed]: [(manifests: readonly Manifest[]) => void, (error: unknown) => void] = [() => {}, () => {}];
  const manifests = new Promise<readonly Manifest[]>((resolve, reject) => {
    [found, failed] = [resolve, reject];
  });
  // The judge may not need them.
  manifests.catch(() => {});
  const { reference, digest: named } = asked;
  const judging = judge.admit({ repo: from.repo, reference, named, isUsed, manifests: () => manifests }, { signal });
  const walking = walk(found).catch((error: unknown) => {
    failed(error);
    throw error;
  });
  const [walked, judged] = await Promise.allSettled([walking, judging]);
  if (walked.status === 'rejected') throw walked.reason;
  if (judged.status === 'rejected') throw judged.reason;
  return { walked: walked.value, by: judged.value };
}
