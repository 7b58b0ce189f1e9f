import { isOciError, OciError } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { insteadOfCatalog } from './no-catalog.ts';

interface ListRange {
  readonly limit?: number | undefined;
  readonly signal: AbortSignal;
}

/** The repositories that a registry lists. @throws OciError that says what lists them, if the registry does not. */
export async function* listRepositories(
  registry: Registry,
  host: string,
  range: ListRange,
): AsyncGenerator<RepositoryName> {
  try {
    yield* registry.repositories(range);
  } catch (error) {
    if (!isOciError(error, 'UNAUTHORIZED', 'DENIED', 'UNSUPPORTED', 'NAME_UNKNOWN') || !error.fromServer) throw error;
    const { code, message, status, endpoint } = error;
    const hint = insteadOfCatalog(host, { mayLogIn: isOciError(error, 'UNAUTHORIZED', 'DENIED') });
    throw new OciError(code === 'NAME_UNKNOWN' ? 'UNSUPPORTED' : code, message, {
      hint,
      status,
      endpoint,
      cause: error,
    });
  }
}
