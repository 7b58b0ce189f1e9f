import { OciError } from '../model/errors.ts';
import type { Tag } from '../model/reference/reference.ts';

/** Options that methods of several interfaces take. */

export interface SignalOption {
  /** Stops the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions extends SignalOption {
  /** Start after this entry. Entries are sorted by code unit, if the registry follows the spec. */
  readonly after?: string | undefined;
  /** Maximum number of entries, a whole number or Infinity; no limit if absent. 0 gives an empty list. */
  readonly limit?: number | undefined;
}

/**
 * The entries that a list may have. Every list asks for it before its first entry: code that counts NaN down never ends.
 *
 * @throws OciError USAGE for what is no number of entries.
 */
export function limitOf({ limit = Number.POSITIVE_INFINITY }: ListOptions = {}): number {
  if ((Number.isInteger(limit) && limit >= 0) || limit === Number.POSITIVE_INFINITY) return limit;
  throw new OciError('USAGE', 'the option limit must be a whole number of at least 0');
}

export interface ReferrerOptions extends ListOptions {
  /** Only referrers of this type. `limit` counts only these. */
  readonly artifactType?: string | undefined;
  /**
   * Whether the manifests of entries are read that the registry does not answer for: a client wrote them into the list under
   * the fallback tag, or they have no type. An entry under the tag counts only if its manifest is there and names the
   * subject; type and annotations are then the manifest's. Default false: entries are given as they are listed.
   */
  readonly checked?: boolean | undefined;
  /** What is known of the tags of the repository: then a fallback tag that is certainly absent is not asked for. */
  readonly knownTags?: KnownTags | undefined;
}

/** What is known of the tags of a repository, for calls that look up many. */
export interface KnownTags {
  /** Tells that a tag is there. */
  found(tag: Tag): void;
  /** False if it is certainly absent. */
  mayBeThere(tag: Tag): Promise<boolean>;
}
