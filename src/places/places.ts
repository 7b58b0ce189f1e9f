/** Opens what a command was told to read or write: a registry, a layout, the local store. Part of the composition root. */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { onlyImage } from '../layout/format/only-image.ts';
import { layoutRepository, openLayout } from '../layout/layout.ts';
import { type Digest, digestAlgorithms, parseDigest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import {
  defaultTag,
  familiarReference,
  formatReference,
  fromStoreName,
  manifestReference,
  parseReference,
  type Reference,
  type Tag,
  toStoreName,
  tryParseTag,
  withDefaultTag,
} from '../model/reference/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { refuseMisread } from './misread.ts';
import type { Place, PlaceRole } from './place.ts';

export interface PlaceSources {
  /** The registry behind a reference. */
  readonly remote: (reference: Reference, intent: 'pull' | 'push') => Promise<Registry>;
  readonly store: () => Promise<Registry>;
}

/**
 * @param word A reference, `store:REFERENCE`, or `oci:DIR[:TAG|@DIGEST]`.
 * @throws OciError REFERENCE_INVALID
 */
export async function openPlace(word: string, role: PlaceRole, sources: PlaceSources): Promise<Place> {
  if (word.startsWith('oci:')) return openLayoutPlace(word.slice('oci:'.length), role);
  const inStore = word.startsWith('store:');
  if (inStore && role === 'source') {
    const byId = await openImageId(word, await sources.store());
    if (byId) return byId;
  }
  if (!inStore) refuseMisread(word, 'place');
  const written = parseReference(inStore ? word.slice('store:'.length) : word);
  const reference = withDefaultTag(written);
  refuseDigestTarget(word, reference.digest, role);
  const registry = inStore
    ? await sources.store()
    : await sources.remote(reference, role === 'source' || role === 'repository' ? 'pull' : 'push');
  const { tag: _tag, digest: _digest, ...repository } = reference;
  const fullName = `${inStore ? 'store:' : ''}${formatReference(reference)}`;
  return {
    kind: inStore ? 'store' : 'registry',
    registry,
    repo: inStore ? toStoreName(reference) : reference.path,
    reference: manifestReference(reference),
    tag: reference.digest === undefined ? reference.tag : undefined,
    named: written.tag !== undefined || written.digest !== undefined,
    name: `${inStore ? 'store:' : ''}${familiarReference(reference)}`,
    fullName,
    place: fullName,
    repository: `${inStore ? 'store:' : ''}${formatReference(repository)}`,
    domain: reference.domain,
    sparse: inStore,
  };
}

/** undefined: the word is no image ID, or an image has it as its name. */
async function openImageId(word: string, registry: Registry): Promise<Place | undefined> {
  const id = word.slice('store:'.length);
  if (!/^(?:sha256:)?[0-9a-f]{4,64}$/.test(id)) return undefined;
  const { findImages } = await import('../local-store/find.ts');
  const [image] = await findImages(registry, id);
  const place = image && fromStoreName(image.repo);
  if (!place || image.name === id) return undefined;
  const repository = `store:${formatReference(place)}`;
  const fullName = `${repository}@${image.digest}`;
  return {
    kind: 'store',
    registry,
    repo: image.repo,
    reference: image.digest,
    tag: undefined,
    named: true,
    name: word,
    fullName,
    place: fullName,
    repository,
    domain: place.domain,
    sparse: true,
  };
}

async function openLayoutPlace(place: string, role: PlaceRole): Promise<Place> {
  const { directory, tag, digest } = splitLayout(place);
  refuseDigestTarget(`oci:${place}`, digest, role);
  const registry = await openLayout({
    directory,
    create: role === 'destination',
    readOnly: role === 'source' || role === 'repository',
  });
  const named = digest ?? tag;
  const reference = named ?? (role === 'source' ? await onlyImage(registry) : defaultTag);
  const isTag = tryParseTag(reference) !== undefined;
  const suffix = named === undefined ? '' : place.slice(directory.length);
  const shown = isTag ? `:${reference}` : `@${reference}`;
  return {
    kind: 'layout',
    registry,
    repo: layoutRepository,
    reference,
    tag: isTag ? (reference as Tag) : undefined,
    named: named !== undefined,
    name: `oci:${directory}${suffix}`,
    fullName: `oci:${directory}${shown}`,
    place: `oci:${await realpath(directory).catch(() => resolve(directory))}${shown}`,
    repository: `oci:${directory}`,
    domain: undefined,
    sparse: true,
  };
}

// The tag is behind the last colon, unless that colon is a part of the path: `oci:/a:b/c` has none.
function splitLayout(place: string): { directory: string; tag?: Tag; digest?: Digest } {
  const at = place.lastIndexOf('@');
  // Only a known algorithm: `oci:app@v1:3` is a directory `app@v1`.
  if (at > 0 && Object.keys(digestAlgorithms).some((name) => place.startsWith(`${name}:`, at + 1))) {
    return { directory: place.slice(0, at), digest: readDigest(place.slice(at + 1)) };
  }
  const colon = place.lastIndexOf(':');
  if (colon > 0 && !place.slice(colon).includes('/')) {
    const tag = tryParseTag(place.slice(colon + 1));
    if (tag !== undefined) return { directory: place.slice(0, colon), tag };
    throw new OciError('REFERENCE_INVALID', `invalid tag in oci:${place}`, {
      hint: 'a layout is named oci:DIRECTORY or oci:DIRECTORY:TAG',
    });
  }
  if (place === '') {
    throw new OciError('REFERENCE_INVALID', 'oci: names no directory', {
      hint: 'a layout is named oci:DIRECTORY or oci:DIRECTORY:TAG',
    });
  }
  return { directory: place };
}

function readDigest(word: string): Digest {
  try {
    return parseDigest(word);
  } catch (error) {
    if (!isOciError(error, 'DIGEST_INVALID')) throw error;
    throw new OciError('REFERENCE_INVALID', error.message, { hint: error.hint, cause: error });
  }
}

function refuseDigestTarget(word: string, digest: Digest | undefined, role: PlaceRole): void {
  if (role !== 'destination' || digest === undefined) return;
  throw new OciError('REFERENCE_INVALID', `cannot write to a digest reference: ${word}`, {
    hint: 'name a tag: the digest follows from the content',
  });
}
