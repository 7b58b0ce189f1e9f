import type { DockerConfig } from '../config/docker/docker-config.ts';
import type { Sourced } from '../config/origin.ts';
import { enclosingNames, exactKeys, keyMatches } from './registry-key.ts';

type Helpers = Pick<DockerConfig, 'credHelpers' | 'credsStore'>;

/** The helper that keeps the credentials of a registry or namespace; undefined: the file does. */
export function configuredHelper({ credHelpers, credsStore }: Helpers, name: string): Sourced<string> | undefined {
  const named = enclosingNames(name).flatMap((each) => exactKeys(each).map((key) => credHelpers.get(key)));
  const found = named.find((helper) => helper !== undefined) ?? credsStore;
  // An empty name in credHelpers keeps a registry in the file in spite of a credsStore.
  return found?.value === '' ? undefined : found;
}

/** The helper that would, were nothing said for exactly this name. */
export function helperWithout({ credHelpers, credsStore }: Helpers, name: string): Sourced<string> | undefined {
  const others = new Map([...credHelpers].filter(([key]) => !keyMatches(key, name)));
  return configuredHelper({ credHelpers: others, credsStore }, name);
}
