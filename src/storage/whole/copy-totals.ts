import type { Digest } from '../../model/digest.ts';
import type { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { SignalOption } from '../../registry/registry.ts';

export interface CopyOptions extends SignalOption {
  /** Changes nothing; the totals are what would be copied. */
  readonly dryRun?: boolean | undefined;
  /** Told when a blob begins to move, and what became of it. */
  readonly onBlob?: ((blob: Descriptor, state: 'begins' | 'ended' | 'damaged') => void) | undefined;
  /** Told once of each part of the source that cannot be read. @param name Of the repository, a digest, or the path of a directory of blobs. */
  readonly onUnreadable?: ((name: string, error: OciError) => void) | undefined;
}

interface Writable {
  count: number;
  bytes: number;
}

/** What a copy did. Sizes are in bytes. */
export interface CopyTotals {
  /** Blobs that were copied. */
  readonly copied: Writable;
  /** Blobs that were there with the same size. */
  readonly present: Writable;
  /** Blobs whose bytes have another digest. They are not copied, and links to them neither. */
  readonly damaged: Digest[];
  /** Repositories and blobs that cannot be read: a symbolic link or a file is in their place, or permissions are missing. What can be read of them is copied. */
  readonly unreadable: string[];
  repositories: number;
  /** Links that were written. */
  links: number;
  /** Tags that were written. */
  tags: number;
  /** Links to blobs that are not there. They are not copied. */
  dangling: number;
  /** Tags that are damaged, or whose manifest is not there: it is dangling, or was pushed meanwhile, and the next copy finds it. */
  left: number;
}
