import { OciError } from '../../model/errors.ts';

/** The error for an archive that is damaged, cut off, or is none. @param problem `is cut off` */
export function damagedTar(shown: string, problem: string): OciError {
  return new OciError('ARCHIVE_INVALID', `${shown} ${problem}`, {
    hint: 'build the image again, or ask whoever built it',
  });
}

/** @param position Where it is, in bytes. */
export function tooLongHeader(shown: string, position: number): OciError {
  return new OciError('TOO_LARGE', `${shown} has a header of more than 1 MiB at byte ${position}`, {
    hint: 'no program for images writes such a header',
  });
}
