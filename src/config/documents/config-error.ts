import { OciError } from '../../model/errors.ts';
import { formatOrigin, type Origin } from '../origin.ts';

/** The error for a setting that cannot stand, with the place to change in front. */
export function configError(origin: Origin, reason: string, hint = correctionOf(origin)): OciError {
  return new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${reason}`, { hint });
}

/** What to do about a setting: files are read before anything is done. */
export function correctionOf({ kind, name }: Pick<Origin, 'kind' | 'name'>): string | undefined {
  if (kind === 'file') return `Correct ${name}; nothing was changed and nothing was contacted.`;
  return kind === 'environment' ? `Correct the variable ${name}, or unset it.` : undefined;
}

/** Puts the place of a setting in front of what is wrong with it. */
export function at<T>(origin: Origin, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    throw new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${error.message}`, {
      hint: error.hint ?? correctionOf(origin),
      cause: error,
    });
  }
}
