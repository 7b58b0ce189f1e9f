import { OciError } from '../model/errors.ts';
import type { Driver, Entry } from './driver.ts';

/** The error for a symbolic link within a store, which is not followed. */
export function isLink(file: string): OciError {
  return new OciError('STORAGE_DAMAGED', `${file} is a symbolic link, which is not followed within a store`, {
    hint: 'replace it by its target, or mount the target there; only the directory of the whole store may be a link',
  });
}

/** To be called where a prefix is expected: what is behind a link is not seen, and must not count as absent. */
export function refuseLink(driver: Driver, prefix: string, entry: Entry): void {
  if (entry.isLink === true) throw isLink(`${driver.name}/${prefix}/${entry.name}`);
}
