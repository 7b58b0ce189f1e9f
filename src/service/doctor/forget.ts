import { eraseTokens } from '../../auth/token-files.ts';
import { runtimeDirectory } from '../../config/paths.ts';
import type { Settings } from '../../config/settings.ts';
import { fileError } from '../../files/file-errors.ts';
import type { KeptHostFacts } from '../../host-facts/host-facts.ts';
import type { RegistryService } from '../contract.ts';
import { parseLoginServer } from '../logins/server-name.ts';

interface Forgetting {
  readonly service: Pick<RegistryService, 'lookupPullEndpoints' | 'lookupPushEndpoints'>;
  readonly facts: KeptHostFacts;
  readonly settings: Pick<Settings, 'environment'>;
}

/**
 * Forgets what was learned of a registry's host, at every address where the registry is asked, and erases its tokens.
 *
 * @param server `host[:port]`, a URL of one, or any name of Docker Hub.
 * @returns The host, and whether anything was known of it.
 * @throws OciError USAGE for an invalid host; DENIED for a blocked registry; CONFIG_INVALID; STORAGE_*
 */
export async function forgetHost(
  server: string,
  { service, facts, settings }: Forgetting,
): Promise<{ readonly host: string; readonly known: boolean }> {
  const { host } = parseLoginServer(server);
  const endpoints = [...(await service.lookupPullEndpoints(host)), ...(await service.lookupPushEndpoints(host))];
  const own = endpoints.filter(({ mirror }) => !mirror);
  let known = false;
  try {
    for (const { url } of own) if (facts.forget(url)) known = true;
    const runtime = runtimeDirectory(settings.environment);
    if (runtime !== undefined && eraseTokens(runtime, host)) known = true;
  } catch (error) {
    throw fileError(error, 'forget', host, { full: 'free some space', elsewhere: 'remove it by hand' });
  }
  return { host, known };
}
