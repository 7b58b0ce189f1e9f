import { checkArgument } from '../../model/check-arguments.ts';
import { OciError } from '../../model/errors.ts';

/** The domain of Docker Hub in references. */
export const indexName = 'docker.io';

/** All host names of Docker Hub. */
export const hubNames: readonly string[] = [indexName, 'index.docker.io', 'registry-1.docker.io'];

/**
 * Checks the name of a registry; `index.docker.io` becomes `docker.io`.
 *
 * @throws OciError CONFIG_INVALID if it begins or ends with a hyphen.
 */
export function validateIndexName(name: string): string {
  checkArgument('validateIndexName', 'the name', name, 'string');
  const normal = name === 'index.docker.io' ? indexName : name;
  if (normal.startsWith('-') || normal.endsWith('-')) {
    throw new OciError('CONFIG_INVALID', `invalid registry name (${normal}): it cannot begin or end with a hyphen`);
  }
  return normal;
}
