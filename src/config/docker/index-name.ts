import { OciError } from '../../model/errors.ts';

/** What Docker Hub is called in references. */
export const indexName = 'docker.io';

/** The names that people and tools use for it. */
export const hubNames: readonly string[] = [indexName, 'index.docker.io', 'registry-1.docker.io'];

/**
 * Checks the name of a registry; `index.docker.io` becomes `docker.io`.
 *
 * @throws OciError CONFIG_INVALID for a hyphen at either end.
 */
export function validateIndexName(name: string): string {
  const normal = name === 'index.docker.io' ? indexName : name;
  if (normal.startsWith('-') || normal.endsWith('-')) {
    throw new OciError('CONFIG_INVALID', `invalid registry name (${normal}): it cannot begin or end with a hyphen`);
  }
  return normal;
}
