/**
 * The interface between a storage registry and the medium for its bytes. It has two parts: objects, which exist whole
 * or not at all, and uploads, which grow and then become objects. File systems and object stores both fit: renames,
 * appends to files, empty directories and setting of times are internal to a file system's driver.
 */

import type { FileReader } from '../files/file-reader.ts';
import type { Digest } from '../model/digest.ts';
import type { ByteRange } from '../registry/registry.ts';

declare const pathBrand: unique symbol;

/** A relative path joined with `/`. Only `paths.ts` makes one, from branded parts, so that none can leave the root. */
export type StorePath = string & { readonly [pathBrand]: true };

export interface ObjectFacts {
  /** Bytes. */
  readonly size: number;
  /** When it was stored, by the store's clock. Callers cannot set it, and hosts may have other clocks. */
  readonly storedAt: Date;
}

/** An entry directly below a prefix: an object, or the common prefix of several. */
export interface Entry {
  /** Relative to the listed prefix; in a deep list it may contain `/`. */
  readonly name: string;
  /** `prefix`: other paths begin with it. */
  readonly kind: 'object' | 'prefix';
  /** Present if listing gives them at no extra cost. */
  readonly facts?: ObjectFacts;
}

export interface PageOptions {
  /** Only entries after this key. Keys are names ordered by code unit; the key of a prefix ends with `/`. */
  readonly after?: string | undefined;
  /** Maximum number of entries; if absent, the driver chooses. */
  readonly limit?: number | undefined;
  /** Lists every object at any depth, instead of objects and prefixes. */
  readonly deep?: boolean | undefined;
}

export interface Listing {
  /** Sorted by name. */
  readonly entries: readonly Entry[];
  /** The `after` of the next page; undefined on the last page. */
  readonly next: string | undefined;
}

export interface UrlOptions {
  /** How long it can be used, in milliseconds. Keys that end earlier are renewed first; if they cannot be, it ends with them. */
  readonly validMs: number;
  /**
   * Scheme and host under which clients reach the store: `https://s3.example.com`. Default: those that we use. A signature is
   * made for this host, because changing it afterwards would make the signature invalid.
   */
  readonly origin?: string | undefined;
}

/** Makes URLs where clients can read objects of a store themselves, for a limited time and without credentials. */
export interface BlobUrlSigner {
  /** The URL for a GET of an object, with any `Range`; undefined if there is none. It is as secret as the object. */
  url(path: StorePath, opts: UrlOptions): Promise<string | undefined>;
}

/** An open object that is read from front to back. It keeps its content if it is replaced or deleted meanwhile. */
export type ObjectReader = FileReader;

/** The first part: objects. Once a put, copy or delete has resolved, every process sees its result. */
export interface Objects {
  /** Reads a small object; undefined if there is none. @throws OciError TOO_LARGE past `maxBytes`. */
  get(path: StorePath, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Opens an object for reading; undefined if there is none. */
  open(path: StorePath, range?: ByteRange): Promise<ObjectReader | undefined>;
  /**
   * Creates or replaces an object. After a crash at any point the old or the new object exists, whole. The memory of the
   * bytes may be reused once the promise has settled.
   *
   * @param opts.durable Whether it survives a power cut once the promise has resolved. Default true.
   */
  put(path: StorePath, bytes: Uint8Array, opts?: { readonly durable?: boolean }): Promise<void>;
  /** Creates an object unless one exists. @returns Whether it was created; of concurrent calls exactly one succeeds. */
  putIfAbsent(path: StorePath, bytes: Uint8Array): Promise<boolean>;
  /** Undefined if there is no object, including if the path is a prefix or a link, which is not followed. */
  stat(path: StorePath): Promise<ObjectFacts | undefined>;
  /** Which of these paths `stat` finds, in their order. A driver for which that is no faster leaves it out. */
  exist?(paths: readonly StorePath[]): Promise<readonly boolean[]>;
  /** A page of entries below a prefix, in order; empty if there are none. It may include uploads. */
  list(prefix: StorePath, opts?: PageOptions): Promise<Listing>;
  /** Replaces an object with the content of another. @returns False if there is none at `from`. */
  copy(from: StorePath, to: StorePath): Promise<boolean>;
  /** Deletes an object. A prefix disappears with its last object. @returns False if there was none. */
  delete(path: StorePath): Promise<boolean>;
  /**
   * Deletes objects, as far as they are there, in as few requests as the medium allows. At most 1000 at once. A driver
   * for which that is no faster leaves it out.
   */
  deleteMany?(paths: readonly StorePath[]): Promise<void>;
  /**
   * Deletes an object if it has exactly these bytes; otherwise it was replaced, and is kept. (`If-Match` of an object
   * store.) @returns Whether it was deleted, by this call or by one at the same time.
   */
  deleteIf(path: StorePath, bytes: Uint8Array): Promise<boolean>;
  /** As {@link BlobUrlSigner.url}. A driver whose objects have no addresses leaves it out. */
  url?(path: StorePath, opts: UrlOptions): Promise<string | undefined>;
}

/** Bytes that are to become an object. Only its holder can access them, and they are not visible as an object before. */
export interface Upload {
  /** Number of bytes. */
  readonly size: number;
  /** The digest that {@link rest} was given for the bytes it was resumed with, if they are certainly still the same. */
  readonly digest: Digest | undefined;
  /** Appends the whole chunk. Its memory may be reused once the promise has resolved. */
  write(chunk: Uint8Array): Promise<void>;
  /** Opens the bytes so far for reading. */
  read(): Promise<ObjectReader>;
  /**
   * Turns it into the object at `to`, durably, replacing an existing one. If it fails, the upload is unchanged.
   *
   * @throws OciError STORAGE, retryable, if it was aborted by another meanwhile.
   */
  commit(to: StorePath): Promise<void>;
  /**
   * Releases it, so that any process on any host can resume it. An upload without bytes is aborted. Idempotent.
   *
   * @param opts.digest Of all its bytes. It is kept with them.
   * @throws OciError RANGE_INVALID if another holder has continued it meanwhile, and the driver can keep one only.
   */
  rest(opts?: { readonly digest?: Digest | undefined }): Promise<void>;
  /** Discards its bytes; does nothing after a commit. Idempotent. */
  abort(): Promise<void>;
  /**
   * Ends the session that it was opened for by {@link Uploads.session}: removes its beginning, and what is left of it, with
   * less effort than by a look. After a commit, too.
   */
  end?(): Promise<void>;
}

export interface UploadFacts extends ObjectFacts {
  /** Where the upload is kept. */
  readonly path: StorePath;
  /** Whether a process that is certainly alive holds it. */
  readonly held: boolean;
}

/** An upload with an object beside it that says when it was begun: a session, which ends when that object is deleted. */
export interface FoundSession {
  /** Number of bytes. */
  readonly size: number;
  /** By the clock of the store. */
  readonly begunAt: Date;
  /**
   * Opens what was found, or an upload without bytes. Undefined if the session has ended meanwhile.
   *
   * @param opts.to Where it will be committed, if that is known and it has no bytes yet.
   */
  open(opts?: { readonly to?: StorePath | undefined }): Promise<Upload | undefined>;
}

/** Bytes of an upload that nobody can continue. */
export interface LeftUpload {
  /** Where they would have become an object, or rested. */
  readonly path: StorePath;
  /** Number of bytes. */
  readonly size: number;
  /** Discards them. Idempotent. */
  remove(): Promise<void>;
}

/** The second part: uploads. An upload is found by its path. Several holders may each keep one under the same path. */
export interface Uploads {
  /**
   * Begins an upload. Nothing is stored before its first byte.
   *
   * @param opts.to Where it will be committed, if that is known already.
   */
  begin(path: StorePath, opts?: { readonly to?: StorePath }): Promise<Upload>;
  /**
   * Takes the longest upload at a path; undefined if there is none. If a living process may hold it, its bytes so far
   * are copied and the original is left alone. Uploads longer than `maxBytes` that nobody holds are discarded.
   */
  resume(path: StorePath, opts?: { readonly maxBytes?: number; readonly to?: StorePath }): Promise<Upload | undefined>;
  /** The facts of the upload that {@link resume} would take. */
  find(path: StorePath): Promise<UploadFacts | undefined>;
  /** Lists every upload below a prefix that contains nothing else, for garbage collection. */
  list(prefix: StorePath): AsyncIterable<UploadFacts>;
  /** Discards all uploads at a path, even those that are held. */
  abort(path: StorePath): Promise<void>;
  /** Finds a session, for drivers that learn all of it in one look. Undefined if there is none. */
  session?(path: StorePath, begun: StorePath): Promise<FoundSession | undefined>;
  /**
   * What killed processes left below a prefix, where no upload is listed that it belongs to, and where nothing was written
   * since a time. For drivers where `tidy` does not find it.
   */
  left?(prefix: StorePath, before: Date): AsyncIterable<LeftUpload>;
}

/** An object that grows by short appends. Once the promise of a write has resolved, every process sees it. */
export interface Journal {
  /** Appends a text, whole or not at all. */
  write(text: string): Promise<void>;
  /** Closes it. @param opts.keep Keeps the object; otherwise it is deleted. */
  close(opts?: { readonly keep?: boolean }): Promise<void>;
}

/** A claim that other processes see as long as its holder lives. */
export interface Lock {
  /** Idempotent. */
  release(): Promise<void>;
}

/**
 * Locks that end with their holder. They only save work; correctness must not depend on them, because a process that
 * was suspended for long loses its lock.
 */
export interface Locks {
  /** Takes the lock; undefined while another live holder has it, in this process or another. */
  tryAcquire(path: StorePath): Promise<Lock | undefined>;
  /** Whether a live holder has it. */
  isHeld(path: StorePath): Promise<boolean>;
}

/**
 * A storage driver.
 *
 * Every method rejects with an OciError that names the path: STORAGE_FULL (no space, quota), STORAGE_DENIED
 * (permission, read-only), STORAGE_DAMAGED (on a file system, a link, a file in place of a directory, or a directory that is read
 * as an object: what they hide is not absent), STORAGE (anything else).
 */
export interface Driver extends Objects {
  /** Location of the objects, for messages. */
  readonly name: string;
  /** Whether every change fails. */
  readonly readOnly: boolean;
  /**
   * Whether other processes may answer the next request of a client: nothing may be left to one's own memory between
   * requests. Default false.
   */
  readonly isShared?: boolean;
  /**
   * Whether each call is a request to another machine: then fewer calls are worth some memory, and bytes that are sent in vain
   * now and then. Default false.
   */
  readonly isRemote?: boolean;
  /** What grows and is then committed. */
  readonly uploads: Uploads;
  /** Optional; without locks, work may be done twice. */
  readonly locks?: Locks;
  /**
   * One cheap call that fails if the medium cannot be used, and that holds up no other call if it hangs. A driver for
   * which `stat` is that leaves it out.
   */
  check?(): Promise<void>;
  /** Opens a journal at a new path, for drivers where an append is cheaper than one more object. */
  openJournal?(path: StorePath): Promise<Journal>;
  /**
   * Removes what crashed writers left that is no object (temporary files), and empty directories
   * below the prefix, if one is given.
   *
   * @param opts.idleMs How long nothing was written to what belongs to no process that is known to be dead. Default a day.
   * @returns How much crashed writers had left.
   */
  tidy?(
    prefix?: StorePath,
    opts?: { readonly dryRun?: boolean; readonly idleMs?: number },
  ): Promise<{ count: number; bytes: number }>;
}
