import { containersAuthFiles } from '../config/paths.ts';
import type { Settings } from '../config/settings.ts';
import { createCredentialLookup } from '../credentials/lookup.ts';
import type { CredentialStore } from '../credentials/store.ts';
import type { RegistryServiceOptions } from './contract.ts';

/** The credentials that Docker, podman and skopeo would find on this machine. */
export function storedCredentials(
  { dockerConfig, dockerAuthConfig, environment }: Settings,
  {
    helperTimeoutMs,
    warn,
  }: Pick<RegistryServiceOptions, 'helperTimeoutMs'> & { readonly warn: (text: string) => void },
): CredentialStore {
  const authFiles = containersAuthFiles(environment);
  const { env } = environment;
  return createCredentialLookup({ dockerConfig, dockerAuthConfig, authFiles, env, warn, helperTimeoutMs });
}
