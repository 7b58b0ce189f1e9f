import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Digest, digestAlgorithms, parseDigest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { defaultTag, isDigestReference, type Tag } from '../model/reference/reference.ts';
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
    const { directory, name, digest } = parseLayout(rest);
    refuseDigestTarget(`${prefix}${rest}`, digest, role);
    const { emptyLayout, layoutRepository, onlyImage, openLayout, parseLayoutName, rootImages } = await import(
      '../layout/layout.ts'
    );
    const tag = name === undefined ? undefined : parseLayoutName(name);
    const registry = await openLayout({
      directory,
      create: role === 'destination',
      readOnly: role === 'source' || role === 'repository',
    }).catch((error: unknown) => {
      throw name?.includes('/') ? withColonTold(error, directory) : error;
    });
    const named = digest ?? tag;
    const reference = named ?? (role === 'source' ? await onlyImage(registry) : defaultTag);
    const real = await realpath(directory).catch(() => resolve(directory));
    let isFinished = false;
    const at = (target: Tag | Digest, isNamed: boolean): Place => {
      const targetTag = isDigestReference(target) ? undefined : target;
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
        ...(name !== undefined &&
          isRepositoryName(name) && { below: (other: Tag) => at(parseLayoutName(`${name}:${other}`), true) }),
        names: async () => (await registry.extension(rootImages)?.names()) ?? [],
        async finish() {
          isFinished = true;
        },
        async [Symbol.asyncDispose]() {
          if (isFinished) return;
          // An error here must not replace the one that ended the write.
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

// The first colon ends the directory, as in skopeo. After it comes a tag, or any other name: `oci:dir:base/app:1.0`.
function parseLayout(rest: string): { directory: string; name?: string; digest?: Digest } {
  const at = rest.lastIndexOf('@');
  // Only a known algorithm makes it a digest: `oci:app@v1:3` is a directory `app@v1`.
  if (at > 0 && Object.keys(digestAlgorithms).some((name) => rest.startsWith(`${name}:`, at + 1))) {
    // If both a name and a digest are given, the digest counts.
    return { directory: parseLayout(rest.slice(0, at)).directory, digest: readDigest(rest.slice(at + 1)) };
  }
  const drive = process.platform === 'win32' && /^[a-z]:[\\/]/i.test(rest) ? 2 : 0;
  const colon = rest.indexOf(':', drive);
  const [directory, name] = colon === -1 ? [rest] : [rest.slice(0, colon), rest.slice(colon + 1)];
  if (directory === '') throw misnamed(`${prefix}${rest} names no directory`);
  if (name === '') throw misnamed(`invalid tag in ${prefix}${rest}`);
  return { directory, ...(name !== undefined && { name }) };
}

// Whether it is a repository name such as `base/app`, to which a tag can be added. A name without a slash is a tag.
function isRepositoryName(name: string): boolean {
  return name.includes('/') && !/[:@]/.test(name.slice(name.lastIndexOf('/')));
}

// A user whose directory has a colon in its name sees where the word was split.
function withColonTold(error: unknown, directory: string): unknown {
  if (!isOciError(error)) return error;
  const { code, message, detail } = error;
  const hint = `the first colon ends the directory, as with skopeo: here it is ${directory}`;
  return new OciError(code, message, { detail, hint, cause: error });
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
