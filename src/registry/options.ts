/** Options that methods of several interfaces take. */

export interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions extends SignalOption {
  /** Start after this entry. Entries are sorted by code unit, if the registry follows the spec. */
  readonly after?: string | undefined;
  /** Maximum number of entries; no limit if absent. 0 gives an empty list. */
  readonly limit?: number | undefined;
}

export interface ReferrerOptions extends ListOptions {
  /** Only referrers of this type. `limit` counts only these. */
  readonly artifactType?: string | undefined;
}
