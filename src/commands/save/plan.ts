/** Chooses what of an image goes into an archive, and under which name. */
import type { ArchiveWriter, Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { type Platform, parsePlatform } from '../../model/platform/platform.ts';
import { parseRepositoryName, type RepositoryName } from '../../model/reference/reference.ts';
import { readFrom } from '../../places/place.ts';
import { resolveImage } from '../../transfer/platforms.ts';
import { choosePushed, reducedNote } from '../../transfer/pushed.ts';
import type { TransferRoot } from '../../transfer/transfer.ts';

/**
 * Undefined: that of this machine, or from a sparse place what is complete there. `one`: that of this machine, also from a
 * sparse place.
 */
export type SavedPlatforms = readonly Platform[] | 'all' | 'one' | undefined;

export interface PlannedSave {
  /** The image's name in the archive, or its digest. */
  readonly name: string;
  readonly root: TransferRoot;
}

/** An archive has one repository, without a name. */
const archiveRepository: RepositoryName = parseRepositoryName('archive');

/** @throws OciError USAGE for several in a format that has one. */
export function parseSavedPlatforms(words: readonly string[], format: 'oci' | 'docker'): SavedPlatforms {
  const one = format === 'docker';
  if (one && (words.length > 1 || words.includes('all'))) {
    throw new OciError('USAGE', 'an archive in the docker format has one platform', {
      hint: 'name one with --platform, or leave --image-format out',
    });
  }
  if (words.includes('all')) return 'all';
  if (words.length === 0) return one ? 'one' : undefined;
  return words.map(parsePlatform);
}

/** @throws OciError MANIFEST_UNKNOWN, PLATFORM_UNKNOWN, and what the place throws. */
export async function planSave(
  source: Place,
  platforms: SavedPlatforms,
  archive: ArchiveWriter,
  context: Context,
): Promise<PlannedSave> {
  const { root, manifest } = await readFrom(source, () => resolveRoot(source, platforms, context));
  const name = nameOf(source);
  const several = Array.isArray(platforms) && platforms.length > 1;
  return {
    name: name ?? root.digest,
    root: {
      from: { ...source, reference: root.digest, root, manifests: manifest && [manifest] },
      to: {
        registry: archive.registry,
        repo: archiveRepository,
        tags: name === undefined ? [] : [archive.nameOf(name)],
        seen: { digest: undefined },
      },
      ...(several && { platforms, requirePlatform: true }),
      foreignLayers: 'copy',
    },
  };
}

interface ChosenRoot {
  readonly root: Descriptor;
  readonly manifest?: Manifest;
}

async function resolveRoot(
  source: Place,
  platforms: SavedPlatforms,
  { terminal, signal, defaultPlatform }: Context,
): Promise<ChosenRoot> {
  const { registry, repo, reference, sparse, name } = source;
  const [platform, another] = Array.isArray(platforms) ? (platforms as readonly Platform[]) : [];
  if (platform && !another) return read(await resolveImage(source, platform, { signal }));
  if (platform || platforms === 'all') return { root: await registry.statManifest(repo, reference, { signal }) };
  if (!sparse || platforms === 'one')
    return read(await resolveImage(source, await defaultPlatform(), { signal, requirePlatform: false }));
  const chosen = await choosePushed(source, undefined, { signal });
  const note = reducedNote(name, 'saving', chosen);
  if (note !== undefined) terminal.note(note);
  return { root: await registry.statManifest(repo, chosen.digest, { signal }) };
}

function read(manifest: Manifest): ChosenRoot {
  return { root: manifest.descriptor, manifest };
}

/** A full reference where the place has repositories with names, otherwise the name that the place has for it. */
function nameOf({ kind, tag, repository }: Place): string | undefined {
  if (tag === undefined || !kind.hasRepository) return tag;
  return `${repository.slice(kind.prefix.length)}:${tag}`;
}
