import { OciError } from '../model/errors.ts';

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
}
