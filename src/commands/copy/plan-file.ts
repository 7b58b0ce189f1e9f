/** A plan of copies in a file: what `copy --plan` keeps, and `copy --apply` does. */
import { readFile, stat } from 'node:fs/promises';
import { checkResultFile, type ResultFile, writeResultFile } from '../../files/result-file.ts';
import { OciError } from '../../model/errors.ts';
import { isObject, parseJson } from '../../model/json.ts';
import { quote } from '../../model/quote.ts';
import { type Tag, tryParseTag } from '../../model/reference/reference.ts';
import type { Preview } from '../../transfer/plan/preview.ts';

const version = 1;
const maxBytes = 64 * 1024 * 1024;

/** What a copy to one destination would do; with `--json` this is printed. */
export interface CopyPreview extends Omit<Preview, 'root'> {
  readonly source: string;
  readonly destination: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly rewrittenFrom?: string | undefined;
}

/** What decides what is copied. */
export interface PlanOptions {
  readonly platform: readonly string[];
  readonly all: boolean;
  readonly sparse: boolean;
  readonly referrers: boolean;
  readonly digestTags: boolean;
  readonly ifAbsent: boolean;
  readonly allTags: boolean;
  readonly replace: boolean;
}

export interface CopyPlan {
  /** The version of this format. */
  readonly ocictlPlan: typeof version;
  /** As given. */
  readonly source: string;
  readonly options: PlanOptions;
  readonly copies: readonly PlannedDestination[];
}

interface PlannedDestination {
  /** As given. */
  readonly word: string;
  /** One of all tags. */
  readonly tag?: Tag | undefined;
  readonly preview: CopyPreview;
}

/**
 * Checks that a plan can be written, before the first request.
 *
 * @returns What writes it; a file of that name is replaced as a whole.
 * @throws OciError STORAGE_*, also later
 */
export async function createPlan(file: string): Promise<(plan: Omit<CopyPlan, 'ocictlPlan'>) => Promise<void>> {
  const result: ResultFile = { file, what: 'plan', flag: '--plan' };
  await checkResultFile(result);
  return (plan) => writeResultFile(result, `${JSON.stringify({ ocictlPlan: version, ...plan }, undefined, 2)}\n`);
}

/** @throws OciError CONFIG_INVALID for a file that is no plan, REFUSED for a plan of another version. */
export async function readPlan(file: string): Promise<CopyPlan> {
  let found: unknown;
  try {
    if ((await stat(file)).size > maxBytes) throw new SyntaxError('too large');
    found = parseJson(await readFile(file, 'utf8'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === undefined ? 'it is not JSON' : code;
    throw invalid(file, why, cause);
  }
  if (!isObject(found) || !('ocictlPlan' in found)) throw invalid(file, 'it is no plan');
  if (found['ocictlPlan'] !== version) {
    throw new OciError('REFUSED', `the plan ${quote(file)} is of another version`, { hint: again });
  }
  const { source, options, copies } = found;
  if (typeof source !== 'string' || !isObject(options) || !Array.isArray(copies) || copies.length === 0) {
    throw invalid(file, 'fields are missing');
  }
  for (const copy of copies as unknown[]) {
    const { word, tag, preview } = isObject(copy) ? copy : {};
    const isWhole = isObject(preview) && typeof preview['digest'] === 'string' && isObjects(preview['tags']);
    const isTagged = options['allTags'] ? typeof tag === 'string' && tryParseTag(tag) !== undefined : tag === undefined;
    if (typeof word !== 'string' || !isWhole || !isTagged) throw invalid(file, 'a copy has no digest or no tags');
  }
  const flags = ['all', 'sparse', 'referrers', 'digestTags', 'ifAbsent', 'allTags', 'replace'] as const;
  const areRight = flags.every((name) => typeof options[name] === 'boolean') && isWords(options['platform']);
  if (!areRight) throw invalid(file, 'its options are not those of a copy');
  return found as unknown as CopyPlan;
}

/**
 * Compares a plan with what would be copied now.
 *
 * @throws OciError REFUSED if the source or a tag at the destination has changed since, or what belongs to the image.
 */
export function refuseChanged(planned: CopyPreview, now: CopyPreview): void {
  if (now.digest !== planned.digest) {
    refuse(`${now.source} is ${now.digest} now, and ${planned.digest} in the plan`);
  }
  for (const field of ['referrers', 'digestTags'] as const) {
    if (!isSame(planned[field], now[field]))
      refuse(`what belongs to ${now.source} has changed since the plan was made`);
  }
  for (const { tag, from, to } of now.tags) {
    const seen = planned.tags.find((one) => one.tag === tag && one.to === to);
    // What the plan does not name pointed at the image then.
    const before = seen ? seen.from : to;
    if (from !== before) {
      refuse(`the tag ${tag} of ${now.destination} is ${from ?? 'gone'} now, and was ${before ?? 'not there'}`);
    }
  }
}

const again = 'make the plan again, with --dry-run and --plan';

function refuse(message: string): never {
  throw new OciError('REFUSED', message, { hint: again });
}

function isSame(one: unknown, other: readonly string[]): boolean {
  return isWords(one) && one.length === other.length && other.every((word) => one.includes(word));
}

function isObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every(isObject);
}

function isWords(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string');
}

function invalid(file: string, why: string, cause?: unknown): OciError {
  return new OciError('CONFIG_INVALID', `cannot read the plan ${quote(file)}: ${why}`, {
    hint: 'a plan is written by ocictl copy --plan FILE SOURCE DESTINATION',
    cause,
  });
}
