/** The policies of one run: places that are copied from obey them. Part of the composition root. */
import type { BaseSettings } from '../config/base-settings.ts';
import { cacheDirectory } from '../config/paths.ts';
import type { Place, PlaceRole } from '../places/place.ts';
import type { Policy } from '../policy/policy.ts';
import type { RegistryService } from '../service/service.ts';
import type { ServiceFlags } from './context.ts';

interface PoliciesOptions {
  readonly settings: () => Promise<Pick<BaseSettings, 'trust' | 'environment'>>;
  readonly service: (flags: ServiceFlags) => Promise<RegistryService>;
}

interface Policies {
  /**
   * Opens a place. What is copied from there is judged, if its command may copy: it then has the flag `policy`, given or not.
   *
   * @throws OciError CONFIG_INVALID, before the place is opened
   */
  open(role: PlaceRole, flags: ServiceFlags | undefined, open: () => Promise<Place>): Promise<Place>;
}

export function createPolicies({ settings, service }: PoliciesOptions): Policies {
  const opened = new Map<string | undefined, Promise<Policy | undefined>>();
  const load = async (given: string | undefined): Promise<Policy | undefined> => {
    const { trust, environment } = await settings();
    const file = given ?? trust?.file;
    if (file === undefined) return undefined;
    const { readPolicy } = await import('../policy/policy.ts');
    const { homedir } = environment;
    const kept = async () => {
      const { keptTrustedRoot } = await import('./kept-trusted-root.ts');
      return keptTrustedRoot(cacheDirectory(environment));
    };
    return await readPolicy(file, { homedir, kept, at: given === undefined ? 'trust' : undefined });
  };
  const of = ({ policy: file }: ServiceFlags): Promise<Policy | undefined> => {
    const policy = opened.get(file) ?? load(file);
    opened.set(file, policy);
    return policy;
  };
  return {
    async open(role, flags, open) {
      const judges = flags !== undefined && 'policy' in flags && (role === 'source' || role === 'repository');
      const policy = judges ? await of(flags) : undefined;
      const place = await open();
      if (!policy || !flags) return place;
      const [{ judgedPlace }, { originOf }] = await Promise.all([
        import('../policy/judged-place.ts'),
        import('../service/open/origin-of.ts'),
      ]);
      return judgedPlace(place, policy, async (repository, kind) =>
        originOf(await service(flags), repository, kind === ''),
      );
    },
  };
}
