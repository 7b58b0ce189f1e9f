import type { Credential } from './credential.ts';

export interface StoreOptions {
  /** Stops the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions extends StoreOptions {
  /** Repeats a query of this run, because a credential was refused that had been accepted. Default false. */
  readonly fresh?: boolean | undefined;
  /** Whether it is for a host whose certificate is verified. Otherwise only stored ones are found, and none is made. Default true. */
  readonly verified?: boolean | undefined;
}

/** One entry of a store, without its secret. */
export interface StoredEntry {
  /** `docker.io`, `host[:port]` or `host[:port]/namespace`. */
  readonly host: string;
  /** Absent for tokens without a user. */
  readonly username?: string;
  /** Where it is stored, for people: a file or a helper. */
  readonly source: string;
}

/**
 * A store of credentials. A name is `host[:port]` as in references, or `host[:port]/path`; all names of Docker Hub
 * refer to the same entry.
 *
 * Errors by code: CONFIG_INVALID for an invalid file, variable or helper, UNSUPPORTED for operations that this kind of
 * store does not have, USAGE for a credential that it cannot store, STORAGE_* for the disk.
 */
export interface CredentialStore {
  /**
   * The credential for a registry or repository: of the entries that enclose the name, the one with the longest
   * namespace. Undefined if there is none: the registry is accessed anonymously.
   */
  get(name: string, opts?: GetOptions): Promise<Credential | undefined>;
  /** Stores a credential for everything below the name, replacing an earlier one. */
  store(name: string, credential: Credential, opts?: StoreOptions): Promise<void>;
  /** Removes every entry of exactly this name. @returns Whether there was one. */
  erase(name: string, opts?: StoreOptions): Promise<boolean>;
  /** Every stored entry, without secrets. @throws OciError of the helper or file. */
  list(opts?: StoreOptions): AsyncIterable<StoredEntry>;
}
