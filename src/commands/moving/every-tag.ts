/** For commands that process all tags of a repository: one bad tag does not stop the others. */
import { type ErrorCode, isOciError, OciError } from '../../model/errors.ts';
import { inOrder } from '../../model/in-order.ts';
import type { Tag } from '../../model/reference/reference.ts';

/** Errors that concern one tag only. Other errors, such as an unreachable registry, would occur for every tag. */
const ofOneTag: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MANIFEST_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNVERIFIED',
  'MANIFEST_BLOB_UNKNOWN',
  'BLOB_UNKNOWN',
  'PLATFORM_UNKNOWN',
  'REFUSED',
  'UNSUPPORTED',
  'DIGEST_MISMATCH',
  'DIGEST_INVALID',
  'SIZE_MISMATCH',
  'TOO_LARGE',
  'ARCHIVE_INVALID',
  'UNTRUSTED',
]);

export function isOfOneTag(error: unknown): error is OciError {
  return isOciError(error) && ofOneTag.has(error.code);
}

interface TagFailures {
  /** How many tags were tried. */
  readonly count: number;
  /** `pulled` */
  readonly what: string;
  readonly hint: string;
}

/**
 * @param failures By tag.
 * @throws OciError the only error if nothing worked, otherwise PARTLY_FAILED naming the tags.
 */
export function throwFailures(failures: ReadonlyMap<string, OciError>, { count, what, hint }: TagFailures): void {
  const [first] = failures.values();
  if (!first) return;
  if (failures.size === count) throw first;
  const tags = [...failures.keys()].join(', ');
  throw new OciError('PARTLY_FAILED', `${failures.size} of ${count} tags could not be ${what}: ${tags}`, {
    hint: `the reason for each is above; ${hint}`,
  });
}

/** The outcome for one tag. */
type TagOutcome<T> =
  | { readonly tag: Tag; readonly result: T; readonly error?: never }
  | { readonly tag: Tag; readonly error: OciError };

/** Small images mostly wait for answers, so several run at once. */
const parallelTags = 9;

/**
 * Runs an operation for every tag, several at once.
 *
 * @returns The outcomes, in the order of the tags.
 * @throws an error that concerns more than one tag, after all running operations have ended.
 */
export async function* forEveryTag<T>(
  tags: AsyncIterable<Tag> | Iterable<Tag>,
  run: (tag: Tag) => Promise<T>,
  atOnce = parallelTags,
): AsyncGenerator<TagOutcome<T>> {
  const start = async (tag: Tag): Promise<TagOutcome<T>> => {
    try {
      return { tag, result: await run(tag) };
    } catch (error) {
      if (!isOfOneTag(error)) throw error;
      return { tag, error };
    }
  };
  yield* inOrder(tags, atOnce, start);
}
