import { isOciError, OciError } from '../../model/errors.ts';

/**
 * The error of a search of Docker Hub, with a hint for users of mirrors: only pulls ask those.
 *
 * @param mirrors Addresses of the mirrors, in order.
 */
export function withMirrorHint(error: unknown, query: string, mirrors: readonly string[]): unknown {
  const [mirror] = mirrors;
  if (mirror === undefined || !isOciError(error, 'NETWORK', 'TIMEOUT', 'TLS', 'UNAVAILABLE')) return error;
  const { code, message, hint, status, endpoint, retryable } = error;
  const other = `mirrors serve pulls only; ocictl search ${new URL(mirror).host}/${query} searches one by its name`;
  return new OciError(code, message, {
    hint: hint === undefined ? other : `${hint}; ${other}`,
    cause: error,
    status,
    endpoint,
    retryable,
  });
}
