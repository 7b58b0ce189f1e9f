import type { AuthProvider } from '../auth/auth-provider.ts';
import { containersAuthFiles } from '../config/paths.ts';
import type { Settings } from '../config/settings.ts';
import { createCredentialLookup } from '../credentials/lookup.ts';
import { createTransport, type Transport } from '../transport/transport.ts';
import { version } from '../version.ts';
import { CloudLogins } from './cloud-logins/cloud-logins.ts';
import type { RegistryServiceOptions } from './contract.ts';

/**
 * The credentials that Docker, podman and skopeo would find on this machine; where there is none for the registry of a cloud, a
 * login for this machine's identity there.
 */
export function storedCredentials(
  { dockerConfig, dockerAuthConfig, environment, cloudLogins, proxy }: Settings,
  {
    helperTimeoutMs,
    userAgent = `ocictl/${version}`,
    warn,
  }: Pick<RegistryServiceOptions, 'helperTimeoutMs' | 'userAgent'> & { readonly warn: (text: string) => void },
): AuthProvider {
  const authFiles = containersAuthFiles(environment);
  const { env } = environment;
  const stored = createCredentialLookup({ dockerConfig, dockerAuthConfig, authFiles, env, warn, helperTimeoutMs });
  if (cloudLogins.value === 'off') return stored;
  const connect = (base: URL): Transport => createTransport({ base, proxy, userAgent, retry: { attempts: 3 } });
  const clouds = new CloudLogins({ env, connect, warn });
  return { get: async (name, opts) => (await stored.get(name, opts)) ?? clouds.get(name, opts) };
}
