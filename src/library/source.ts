import { loadBaseSettings } from '../config/base-settings.ts';
import { openPlace } from '../places/open-place.ts';
import type { Place } from '../places/place.ts';
import type { RegistryService } from '../service/contract.ts';
import { placesOf } from './places.ts';

/** How a call treats an image that it reads. */
export interface PolicyOption {
  /**
   * A file with a policy, as `--policy` reads it: what does not comply is refused with UNTRUSTED. Default: everything is taken,
   * whatever config.yaml says under `trust`.
   */
  readonly policy?: string | undefined;
}

/** Opens what a call reads. @throws OciError CONFIG_INVALID for the policy; UNTRUSTED when something is read that does not comply. */
export async function openSource(
  word: string,
  service: RegistryService,
  signal: AbortSignal,
  { policy: file }: PolicyOption,
): Promise<Place> {
  const judge = file === undefined ? undefined : await judgeOf(file, service);
  const place = await openPlace(word, 'source', placesOf(service, signal));
  return judge ? judge(place) : place;
}

async function judgeOf(file: string, service: RegistryService): Promise<(place: Place) => Place> {
  const [{ readPolicy }, { judgedPlace }, { originOf }] = await Promise.all([
    import('../policy/policy.ts'),
    import('../policy/judged-place.ts'),
    import('../service/open/origin-of.ts'),
  ]);
  const { environment } = await loadBaseSettings();
  const policy = await readPolicy(file, { homedir: environment.homedir });
  return (place) => judgedPlace(place, policy, (repository, kind) => originOf(service, repository, kind === ''));
}
