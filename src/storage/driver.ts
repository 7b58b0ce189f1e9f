/** What a storage registry asks of the place that keeps its files. Small on purpose: a driver is a page of code. */

declare const pathBrand: unique symbol;

/** A relative path joined with `/`; only `paths.ts` makes one, out of branded parts, so none can leave the root. */
export type StorePath = string & { readonly [pathBrand]: true };

export interface Entry {
  readonly name: string;
  readonly kind: 'file' | 'directory';
}

export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
}

/** An open file that is read from front to back. It keeps its bytes when the path is moved or removed meanwhile. */
export interface FileReader {
  /** Bytes of the whole file, whatever range is read. */
  readonly size: number;
  /** Fills `into` as far as the range goes. @returns Bytes read; 0 at the end. */
  read(into: Uint8Array): Promise<number>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** An open file that grows. Whoever opens one owns the path: drivers do not arbitrate between two appenders. */
export interface FileAppender {
  /** Bytes in the file, including all that was there before. */
  readonly size: number;
  /** Appends the whole chunk, which may be reused when the promise has resolved. */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves when the bytes would survive a power cut. */
  sync(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
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
 * Keeps files. Directories come into being with the first file below them and stay until they are removed.
 *
 * Every method rejects with an OciError: STORAGE_FULL (no space, quota), STORAGE_DENIED (permission, read-only),
 * STORAGE (anything else), each naming the path.
 */
export interface Driver {
  /** Where the files are, for messages. */
  readonly name: string;
  readonly readOnly: boolean;
  readonly locks?: Locks;
  /** A small file whole, or undefined when there is none. @throws OciError TOO_LARGE past `maxBytes`. */
  readSmall(path: StorePath, maxBytes: number): Promise<Uint8Array | undefined>;
  /**
   * Opens a file for reading, or gives undefined when there is none.
   *
   * @param range First byte, and the end, exclusive; the whole file where absent.
   */
  openRead(
    path: StorePath,
    range?: { readonly start: number; readonly end?: number | undefined },
  ): Promise<FileReader | undefined>;
  /** Replaces a file whole: after a crash at any point the old or the new one is there, durably. */
  writeSmall(path: StorePath, bytes: Uint8Array): Promise<void>;
  /** Opens a file for appending and creates it where absent. */
  openAppend(path: StorePath): Promise<FileAppender>;
  /** Undefined for what is absent or a directory. */
  stat(path: StorePath): Promise<FileFacts | undefined>;
  /** What a directory holds, sorted by code unit; nothing when it is absent. */
  list(path: StorePath): Promise<readonly Entry[]>;
  /**
   * Renames a file over whatever is at `to`.
   *
   * @param opts.durable Survives a power cut when the promise has resolved.
   * @returns False when there is nothing at `from`.
   */
  move(from: StorePath, to: StorePath, opts?: { readonly durable?: boolean }): Promise<boolean>;
  /** Removes a file. @returns False when there was none. */
  remove(path: StorePath): Promise<boolean>;
  /** Removes a file or directory with all below it; an absent one is fine. */
  removeTree(path: StorePath): Promise<void>;
  /** Removes a directory if it is empty. @returns Whether it is gone. */
  removeEmptyDirectory(path: StorePath): Promise<boolean>;
  /** Sets the time of modification. @returns False when there is no such file. */
  touch(path: StorePath, at: Date): Promise<boolean>;
  /** Removes the driver's own temporary files that are older, left behind by a crash. */
  removeTemporary(before: Date): Promise<void>;
}
