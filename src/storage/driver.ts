/**
 * What a storage registry asks of the place that keeps its bytes, in two parts: objects, which are there whole or not at
 * all, and uploads, which grow and then become objects. A directory fits it, and so does an object store: names that
 * change, files that are appended to, empty directories and times that are set are a file system's own business.
 */

import type { FileReader } from '../files/file-reader.ts';
import type { ByteRange } from '../registry/registry.ts';

declare const pathBrand: unique symbol;

/** A relative path joined with `/`; only `paths.ts` makes one, out of branded parts, so none can leave the root. */
export type StorePath = string & { readonly [pathBrand]: true };

export interface ObjectFacts {
  /** Bytes. */
  readonly size: number;
  /** When it was stored by the clock of the store, which no caller sets and no host need share. */
  readonly storedAt: Date;
}

/** What lies directly below a prefix: an object, or a prefix that others have in common. */
export interface Entry {
  /** Relative to the prefix that was listed; of a deep list with `/` in it. */
  readonly name: string;
  readonly kind: 'object' | 'prefix';
  /** Where the list tells them for nothing. */
  readonly facts?: ObjectFacts;
}

export interface PageOptions {
  /** Only what comes later in the order of keys: names by code unit, a prefix's with a `/` at its end. */
  readonly after?: string | undefined;
  /** Entries at most; the driver's own measure where it is absent. */
  readonly limit?: number | undefined;
  /** Every object below, however deep, instead of objects and prefixes. */
  readonly deep?: boolean | undefined;
}

export interface Listing {
  readonly entries: readonly Entry[];
  /** `after` of the next page; undefined on the last one. */
  readonly next: string | undefined;
}

/** An open object that is read from front to back. It keeps its bytes when it is replaced or deleted meanwhile. */
export type ObjectReader = FileReader;

/** The first part. Whatever was put, copied or deleted is seen so by whoever asks afterwards, in any process. */
export interface Objects {
  /** A small object whole, or undefined when there is none. @throws OciError TOO_LARGE past `maxBytes`. */
  get(path: StorePath, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Opens an object for reading, or gives undefined when there is none. */
  open(path: StorePath, range?: ByteRange): Promise<ObjectReader | undefined>;
  /**
   * Replaces an object: after a crash at any point the old or the new one is there, whole.
   *
   * @param opts.durable Whether it survives a power cut once the promise has resolved. Default true.
   */
  put(path: StorePath, bytes: Uint8Array, opts?: { readonly durable?: boolean }): Promise<void>;
  /** Puts an object where there is none. @returns Whether it did: of several at the same time exactly one. */
  putIfAbsent(path: StorePath, bytes: Uint8Array): Promise<boolean>;
  /** Undefined where there is no object, also where there is a prefix, or a link that nobody may follow. */
  stat(path: StorePath): Promise<ObjectFacts | undefined>;
  /** A page of what is below a prefix, in order; nothing when nothing is. Uploads may be among it. */
  list(prefix: StorePath, opts?: PageOptions): Promise<Listing>;
  /** Replaces an object by the bytes of another. @returns False when there is none at `from`. */
  copy(from: StorePath, to: StorePath): Promise<boolean>;
  /** Deletes an object. A prefix ends with its last object. @returns False when there was none. */
  delete(path: StorePath): Promise<boolean>;
  /**
   * Deletes an object while it holds exactly these bytes: what somebody else has put in its place stays. (An object
   * store's `If-Match`.) @returns Whether it did.
   */
  deleteIf(path: StorePath, bytes: Uint8Array): Promise<boolean>;
  /** Where anybody may read an object for a while without asking us, or undefined where that cannot be. */
  url?(path: StorePath, opts: { readonly validMs: number }): Promise<string | undefined>;
}

/** Bytes on their way to become an object. It belongs to its holder alone, and nobody sees it as an object before. */
export interface Upload {
  /** Bytes in it. */
  readonly size: number;
  /** Appends the whole chunk, which may be reused when the promise has resolved. */
  write(chunk: Uint8Array): Promise<void>;
  /** Opens what is in it for reading. */
  read(): Promise<ObjectReader>;
  /**
   * Makes it the object at `to`, durably, in place of what is there. When it fails the upload is as before.
   *
   * @throws OciError STORAGE, retryable, when somebody aborted it meanwhile.
   */
  commit(to: StorePath): Promise<void>;
  /** Lets go of it, for any process of any host to resume. One without bytes is aborted. Idempotent. */
  rest(): Promise<void>;
  /** Drops its bytes; nothing after a commit. Idempotent. */
  abort(): Promise<void>;
}

export interface UploadFacts extends ObjectFacts {
  readonly path: StorePath;
  /** Whether a process that certainly lives has it. */
  readonly held: boolean;
}

/** The second part. An upload has a path to be found again by; several may be kept under one, by as many holders. */
export interface Uploads {
  /**
   * A new upload. Nothing is stored before its first byte.
   *
   * @param opts.to Where it will be committed to, as far as that is known already.
   */
  begin(path: StorePath, opts?: { readonly to?: StorePath }): Promise<Upload>;
  /**
   * The longest upload that is kept there, or undefined. One that a living process may hold stays with it, and its
   * bytes so far are copied. Longer ones than `maxBytes` that nobody holds are dropped.
   */
  resume(path: StorePath, opts?: { readonly maxBytes?: number; readonly to?: StorePath }): Promise<Upload | undefined>;
  /** What {@link resume} would give, without taking it from anybody. */
  find(path: StorePath): Promise<UploadFacts | undefined>;
  /** Every upload that is kept below a prefix under which nothing else is, for whoever sweeps. */
  list(prefix: StorePath): AsyncIterable<UploadFacts>;
  /** Drops all that is kept there, whoever holds it. */
  abort(path: StorePath): Promise<void>;
}

/** An object that grows by a few words at a time, each seen by everybody once the promise has resolved. */
export interface Journal {
  write(text: string): Promise<void>;
  /** Ends it. @param opts.keep Leaves the object. */
  close(opts?: { readonly keep?: boolean }): Promise<void>;
}

/** A claim that other processes see for as long as its holder lives. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Locks that end with their holder. They save work; nothing may depend on them to be right, because a holder that
 * was suspended for long finds its lock taken over.
 */
export interface Locks {
  /** The lock, or undefined while another live holder, in this process or another, has it. */
  tryAcquire(path: StorePath): Promise<Lock | undefined>;
  /** Whether a live holder has it. */
  isHeld(path: StorePath): Promise<boolean>;
}

/**
 * Keeps objects and uploads.
 *
 * Every method rejects with an OciError: STORAGE_FULL (no space, quota), STORAGE_DENIED (permission, read-only),
 * STORAGE_DAMAGED (a link that nobody may follow), STORAGE (anything else), each naming the path.
 */
export interface Driver extends Objects {
  /** Where the objects are, for messages. */
  readonly name: string;
  readonly readOnly: boolean;
  readonly uploads: Uploads;
  /** Advisory; where there are none, work may be done twice. */
  readonly locks?: Locks;
  /** Begins a journal at a path of its own, where that is cheaper than an object for each word. */
  openJournal?(path: StorePath): Promise<Journal>;
  /**
   * Removes what crashed writers left of the driver's own, and what is empty below a prefix, where one is given.
   *
   * @returns What it was that writers left.
   */
  tidy?(prefix?: StorePath, opts?: { readonly dryRun?: boolean }): Promise<{ count: number; bytes: number }>;
}
