import type { DockerConfig, HelperName } from '../config/docker/docker-config.ts';
import { formatOrigin, type Sourced } from '../config/origin.ts';
import { OciError } from '../model/errors.ts';
import { enclosingNames, exactKeys, keyMatches, splitKey } from './registry-key.ts';

type Helpers = Pick<DockerConfig, 'credHelpers' | 'credsStore'>;

/**
 * The helper for a registry or namespace; undefined if the file has the credentials. Exact keys precede patterns such
 * as `*.example.com`, of which the longest counts.
 *
 * @throws OciError CONFIG_INVALID if the configured name is invalid.
 */
export function configuredHelper({ credHelpers, credsStore }: Helpers, name: string): Sourced<string> | undefined {
  const named = enclosingNames(name).flatMap((each) => exactKeys(each).map((key) => credHelpers.get(key)));
  const found = named.find((helper) => helper !== undefined) ?? byPattern(credHelpers, name) ?? credsStore;
  if (found === undefined) return undefined;
  if ('fault' in found && found.fault !== undefined) {
    throw new OciError('CONFIG_INVALID', `${formatOrigin(found.origin)}: ${found.fault}`, {
      hint: 'name the helper as in docker-credential-NAME, or remove the line',
    });
  }
  // An empty name in credHelpers means that this registry is stored in the file, even if there is a credsStore.
  return found.value === '' ? undefined : found;
}

function byPattern(credHelpers: DockerConfig['credHelpers'], name: string): HelperName | undefined {
  const hosts = exactKeys(splitKey(name).host);
  const covers = (pattern: string): boolean =>
    pattern.startsWith('*.') && hosts.some((host) => host.length >= pattern.length && host.endsWith(pattern.slice(1)));
  const [longest] = [...credHelpers.keys()].filter(covers).sort((one, other) => other.length - one.length);
  return longest === undefined ? undefined : credHelpers.get(longest);
}

/** The helper that would be used if nothing were configured for exactly this name. */
export function helperWithout({ credHelpers, credsStore }: Helpers, name: string): Sourced<string> | undefined {
  const others = new Map([...credHelpers].filter(([key]) => !keyMatches(key, name)));
  return configuredHelper({ credHelpers: others, credsStore }, name);
}
