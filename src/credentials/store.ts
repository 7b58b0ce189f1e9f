import type { Credential } from './credential.ts';

export interface StoreOptions {
  readonly signal?: AbortSignal | undefined;
}

/** One entry of a store, without its secret. */
export interface StoredEntry {
  /** The host, or the key as the store writes it. */
  readonly host: string;
  readonly username?: string;
  readonly source: string;
}

/**
 * Where credentials are kept. A host is `host[:port]` as in references; every name of Docker Hub means the same entry.
 *
 * Errors by code: CONFIG_INVALID for a file, variable or helper that is wrong, UNSUPPORTED for what this kind of store
 * cannot do, USAGE for a credential it cannot hold, STORAGE_* for the disk.
 */
export interface CredentialStore {
  /** undefined: this store knows none, and the registry is asked anonymously. */
  get(host: string, opts?: StoreOptions): Promise<Credential | undefined>;
  /** Keeps a credential in place of the host's earlier one. */
  store(host: string, credential: Credential, opts?: StoreOptions): Promise<void>;
  /** Forgets every entry of the host. @returns whether there was one. */
  erase(host: string, opts?: StoreOptions): Promise<boolean>;
  list(opts?: StoreOptions): AsyncIterable<StoredEntry>;
}
