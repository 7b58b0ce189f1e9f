import type { Digest } from '../../model/digest.ts';
import type { StorePath } from '../driver.ts';

/**
 * A blob's file. distribution stores content pushed under sha512 by its sha256, so `stored` may differ from the digest
 * asked for.
 */
export interface StoredBlob {
  readonly path: StorePath;
  readonly stored: Digest;
  readonly size: number;
  /** True when the blob was just created: any existing link to it was dangling. */
  readonly isNew?: boolean;
}
