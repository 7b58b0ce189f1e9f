import type { Digest } from '../../model/digest.ts';
import type { StorePath } from '../driver.ts';

/** Where a blob lies. Its own digest is another one where distribution keeps sha512 content under sha256. */
export interface StoredBlob {
  readonly path: StorePath;
  readonly stored: Digest;
  readonly size: number;
  /** Whether it was not there before: links to it are then none, or point at nothing. */
  readonly isNew?: boolean;
}
