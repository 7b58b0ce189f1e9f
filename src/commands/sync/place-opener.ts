import type { Context, Place, ServiceFlags } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { splitDomain } from '../../model/reference/reference-grammar.ts';
import type { PlaceRole } from '../../places/place.ts';
import type { HostAccess } from '../../sync/file/sync-file.ts';
import type { PlaceOpener } from '../../sync/open-places.ts';
import { listRepositories } from '../repos/list-repositories.ts';

/** Opens places as the flags and the sync file say. @param hostCreds `HOST=USER:PASSWORD`; they count more than the file. */
export function placeOpener(
  context: Context,
  { hostCreds, ...flags }: ServiceFlags & { readonly hostCreds: readonly string[] },
): PlaceOpener {
  const given = new Map(hostCreds.map(splitCreds));
  const flagsFor = (host: string, { creds: own, insecure, certsDir }: HostAccess): ServiceFlags => ({
    ...flags,
    insecureRegistries: [...(flags.insecureRegistries ?? []), ...(insecure ? [host] : [])],
    certsDir: flags.certsDir ?? certsDir,
    creds: given.get(host) ?? own,
  });
  return {
    open(word: string, role: PlaceRole, access: HostAccess): Promise<Place> {
      return context.openPlace(word, role, flagsFor(splitDomain(word).domain, access));
    },
    async *repositories(host, access, { signal = context.signal }): AsyncGenerator<RepositoryName> {
      const registry = await (await context.service(flagsFor(host, access))).openHost(host);
      yield* listRepositories(registry, host, { signal });
    },
  };
}

function splitCreds(word: string): readonly [string, string] {
  const at = word.indexOf('=');
  if (at > 0 && word.indexOf(':', at) > at + 1) return [word.slice(0, at), word.slice(at + 1)];
  // The word may contain a password: it is not shown.
  throw new OciError('USAGE', '--host-creds names the registry of each login: HOST=USER:PASSWORD');
}
