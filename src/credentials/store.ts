import type { Credential } from './credential.ts';

export interface StoreOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions extends StoreOptions {
  /** Asks anew what this run has asked before: a credential that was good is refused. Default false. */
  readonly fresh?: boolean | undefined;
}

/** One entry of a store, without its secret. */
export interface StoredEntry {
  /** `docker.io`, `host[:port]` or `host[:port]/namespace`. */
  readonly host: string;
  readonly username?: string;
  readonly source: string;
}

/**
 * Where credentials are kept. A name is `host[:port]` as in references, or `host[:port]/path`; every name of Docker Hub
 * means the same entry.
 *
 * Errors by code: CONFIG_INVALID for a file, variable or helper that is wrong, UNSUPPORTED for what this kind of store
 * cannot do, USAGE for a credential it cannot hold, STORAGE_* for the disk.
 */
export interface CredentialStore {
  /**
   * What to show a registry or a repository: of the entries that enclose the name, the one of the longest namespace.
   * undefined: this store knows none, and the registry is asked anonymously.
   */
  get(name: string, opts?: GetOptions): Promise<Credential | undefined>;
  /** Keeps a credential for all that lies below the name, in place of the name's earlier one. */
  store(name: string, credential: Credential, opts?: StoreOptions): Promise<void>;
  /** Forgets every entry of exactly this name. @returns whether there was one. */
  erase(name: string, opts?: StoreOptions): Promise<boolean>;
  list(opts?: StoreOptions): AsyncIterable<StoredEntry>;
}
