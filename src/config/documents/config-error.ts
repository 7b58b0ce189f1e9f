import { OciError } from '../../model/errors.ts';
import { formatOrigin, type Origin } from '../origin.ts';

/** The error for an invalid setting. The message starts with the place to change. */
export function configError(origin: Origin, reason: string, hint = correctionOf(origin)): OciError {
  return new OciError('CONFIG_INVALID', `${formatOrigin(origin)}: ${reason}`, { hint });
}

/** How to correct a setting. Files are read before anything else is done. */
export function correctionOf({ kind, name }: Pick<Origin, 'kind' | 'name'>): string | undefined {
  if (kind === 'file') return `correct ${name}; nothing was changed and nothing was contacted`;
  return kind === 'environment' ? `correct the variable ${name}, or unset it` : undefined;
}

/** Adds the place of a setting in front of an error's message. */
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
