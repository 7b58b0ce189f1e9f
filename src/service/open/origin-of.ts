import type { Reference } from '../../model/reference/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RegistryService } from '../contract.ts';

/**
 * The registry of a repository itself, for what a mirror lacks.
 *
 * @param wasRead Whether the repository was read, as pulls read it.
 * @returns Undefined if that has asked nothing but the registry itself.
 */
export async function originOf(
  service: Pick<RegistryService, 'open' | 'lookupPullEndpoints'>,
  { domain, path }: Pick<Reference, 'domain' | 'path'>,
  wasRead: boolean,
): Promise<Registry | undefined> {
  const isOrigin = wasRead && (await service.lookupPullEndpoints(domain, path)).every(({ mirror }) => !mirror);
  return isOrigin ? undefined : service.open({ domain, path }, 'look');
}
