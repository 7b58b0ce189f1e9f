import { OciError } from '../../model/errors.ts';
import { formatOrigin, type Origin } from '../origin.ts';

/** The error for a setting that cannot stand, with the place to change in front. */
export function configError(origin: Origin, reason: string, hint?: string): OciError {
  return new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${reason}`, { hint });
}

/** Puts the place of a setting in front of what is wrong with it. */
export function at<T>(origin: Origin, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    throw new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}
