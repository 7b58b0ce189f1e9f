import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import {
  familiarReference,
  formatReference,
  fromStoreName,
  manifestReference,
  parseReference,
  type Reference,
  type Tag,
  toStoreName,
  withDefaultTag,
} from '../model/reference/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { type HostedRepository, type Place, type PlaceKind, plainPlace, refuseDigestTarget } from './place.ts';

const prefix = 'store:';

/** Images of the local store, by name, by digest or by image ID. */
export const storeKind: PlaceKind = {
  prefix,
  help: {
    image: 'store:NAME for an image of the local store',
    repository: 'the local store (store:NAME)',
    side: 'the local store (store:NAME[:TAG])',
  },
  insteadOfName: `leave "${prefix}" out`,
  incomplete: 'usual',
  own: true,
  hasRepository: true,
  async open(rest, role, { store, signal }) {
    if (role === 'source') {
      const byId = await openImageId(rest, await store(), signal);
      if (byId) return byId;
    }
    const written = parseReference(rest);
    const reference = withDefaultTag(written);
    refuseDigestTarget(`${prefix}${rest}`, reference.digest, role);
    if (role === 'removal') throw isRemovedByRmi(familiarReference(reference));
    return placeOf(await store(), reference, {
      signal,
      named: written.tag !== undefined || written.digest !== undefined,
    });
  },
};

interface Wording {
  readonly signal: AbortSignal;
  readonly named: boolean;
  /** The word as written, if it is not a name. */
  readonly name?: string;
}

function placeOf(registry: Registry, reference: Reference, { signal, named, name }: Wording): Place {
  const { domain, path } = reference;
  const shown = name ?? familiarReference(reference);
  const fullName = `${prefix}${formatReference(reference)}`;
  return {
    ...plainPlace,
    kind: storeKind,
    registry,
    repo: toStoreName(reference),
    reference: manifestReference(reference),
    tag: reference.digest === undefined ? reference.tag : undefined,
    named,
    name: `${prefix}${shown}`,
    fullName,
    identity: fullName,
    repository: `${prefix}${formatReference({ domain, path })}`,
    hosted: undefined,
    sparse: true,
    at: (tag: Tag) => placeOf(registry, { domain, path, tag }, { signal, named: true }),
    async mountFrom(target: HostedRepository) {
      const { mountSource } = await import('../local-store/mount-source.ts');
      return mountSource(registry, target, { signal });
    },
    explain: (error) => noSuchImage(error, shown),
  };
}

/** undefined: the word is not an image ID, or it is the name of an image. */
async function openImageId(id: string, registry: Registry, signal: AbortSignal): Promise<Place | undefined> {
  if (!/^(?:sha256:)?[0-9a-f]{4,64}$/.test(id)) return undefined;
  const { findImages } = await import('../local-store/find.ts');
  const [image] = await findImages(registry, id, { signal });
  const pulledFrom = image && fromStoreName(image.repo);
  if (!pulledFrom || image.name === id) return undefined;
  const digest: Digest = image.digest;
  return placeOf(registry, { ...pulledFrom, digest }, { signal, named: true, name: id });
}

/** Reports an image that the store lacks in Docker's words. */
function noSuchImage(error: unknown, name: string): unknown {
  if (!isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return error;
  return new OciError('IMAGE_UNKNOWN', `No such image: ${name}`, {
    cause: error,
    hint: 'ocictl images lists what is in the local store',
  });
}

function isRemovedByRmi(name: string): OciError {
  return new OciError('USAGE', `${prefix}${name} is in the local store, which keeps no image without a name`, {
    hint: `remove it with ocictl rmi ${name}`,
  });
}
