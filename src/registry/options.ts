/** Options that methods of several interfaces take. */

export interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions extends SignalOption {
  /** Start behind this entry, exclusive; entries come sorted by code unit where the registry keeps to the spec. */
  readonly after?: string | undefined;
  /** At most this many entries in all; no limit where absent, none for 0. */
  readonly limit?: number | undefined;
}

export interface ReferrerOptions extends ListOptions {
  /** Only those of this type, which `limit` counts alone. */
  readonly artifactType?: string | undefined;
}
