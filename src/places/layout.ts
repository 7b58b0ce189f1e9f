import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Digest, digestAlgorithms, parseDigest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { defaultTag, type Tag, tryParseTag } from '../model/reference/reference.ts';
import { type Place, type PlaceKind, plainPlace, refuseDigestTarget } from './place.ts';

const prefix = 'oci:';

/** OCI image layouts: directories. */
export const layoutKind: PlaceKind = {
  prefix,
  help: {
    image: 'oci:DIR[:TAG] for an OCI layout',
    repository: 'layouts (oci:DIR)',
    side: 'OCI layouts (oci:DIR[:TAG])',
  },
  insteadOfName: 'ocictl copy reads and writes layouts',
  incomplete: 'later',
  own: true,
  hasRepository: false,
  async open(rest, role) {
    const { directory, tag, digest } = parseLayout(rest);
    refuseDigestTarget(`${prefix}${rest}`, digest, role);
    const { emptyLayout, layoutRepository, onlyImage, openLayout } = await import('../layout/layout.ts');
    const registry = await openLayout({
      directory,
      create: role === 'destination',
      readOnly: role === 'source' || role === 'repository',
    });
    const named = digest ?? tag;
    const reference = named ?? (role === 'source' ? await onlyImage(registry) : defaultTag);
    const real = await realpath(directory).catch(() => resolve(directory));
    let isFinished = false;
    const at = (target: Tag | Digest, isNamed: boolean): Place => {
      const targetTag = tryParseTag(target);
      const suffix = targetTag === undefined ? `@${target}` : `:${target}`;
      return {
        ...plainPlace,
        kind: layoutKind,
        registry,
        repo: layoutRepository,
        reference: target,
        tag: targetTag,
        named: isNamed,
        name: `${prefix}${directory}${isNamed ? suffix : ''}`,
        fullName: `${prefix}${directory}${suffix}`,
        identity: `${prefix}${real}${suffix}`,
        repository: `${prefix}${directory}`,
        hosted: undefined,
        sparse: true,
        at: (other) => at(other, true),
        async finish() {
          isFinished = true;
        },
        async [Symbol.asyncDispose]() {
          if (isFinished) return;
          // What keeps it there is not what failed.
          await registry
            .extension(emptyLayout)
            ?.remove()
            .catch(() => {});
        },
      };
    };
    return at(reference, named !== undefined);
  },
};

// The tag is behind the last colon, unless that colon is a part of the path: `oci:/a:b/c` has none.
function parseLayout(rest: string): { directory: string; tag?: Tag; digest?: Digest } {
  const at = rest.lastIndexOf('@');
  // Only a known algorithm: `oci:app@v1:3` is a directory `app@v1`.
  if (at > 0 && Object.keys(digestAlgorithms).some((name) => rest.startsWith(`${name}:`, at + 1))) {
    return { directory: rest.slice(0, at), digest: readDigest(rest.slice(at + 1)) };
  }
  const colon = rest.lastIndexOf(':');
  if (colon > 0 && !rest.slice(colon).includes('/')) {
    const tag = tryParseTag(rest.slice(colon + 1));
    if (tag !== undefined) return { directory: rest.slice(0, colon), tag };
    throw misnamed(`invalid tag in ${prefix}${rest}`);
  }
  if (rest === '') throw misnamed(`${prefix} names no directory`);
  return { directory: rest };
}

function misnamed(message: string): OciError {
  return new OciError('REFERENCE_INVALID', message, {
    hint: `a layout is named ${prefix}DIRECTORY or ${prefix}DIRECTORY:TAG`,
  });
}

function readDigest(word: string): Digest {
  try {
    return parseDigest(word);
  } catch (error) {
    if (!isOciError(error, 'DIGEST_INVALID')) throw error;
    throw new OciError('REFERENCE_INVALID', error.message, { hint: error.hint, cause: error });
  }
}
