/** Chooses what of an image goes into an archive, and under which name. */
import type { ArchiveWriter, Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { type Platform, parsePlatform } from '../../model/platform/platform.ts';
import { parseRepositoryName, type RepositoryName } from '../../model/reference/reference.ts';
import type { TransferRoot } from '../../transfer/transfer.ts';
import { chooseRoot } from '../copy/choose-root.ts';

/**
 * Undefined: that of this machine, or from a sparse place what is complete there. `one`: that of this machine, also from a
 * sparse place.
 */
export type SavedPlatforms = readonly Platform[] | 'all' | 'one' | undefined;

/** What is saved of what belongs to an image. */
export interface Attached {
  readonly referrers: boolean;
  readonly digestTags: boolean;
}

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
  { platforms, referrers, digestTags }: Attached & { readonly platforms: SavedPlatforms },
  archive: ArchiveWriter,
  context: Context,
): Promise<PlannedSave> {
  const { terminal, signal } = context;
  const complete = source.sparse && platforms === undefined;
  const own = complete ? undefined : await context.defaultPlatform();
  const wanted = Array.isArray(platforms) ? (platforms as readonly Platform[]) : [];
  const choice = { platforms: platforms === 'all' ? platforms : wanted, own, sparse: false, subset: true } as const;
  const { reduced, rewrittenFrom, named, ...whole } = await chooseRoot(source, choice, signal);
  if (reduced) terminal.note(reduced.note);
  const { root, manifests } = reduced ?? whole;
  if (rewrittenFrom)
    terminal.note(`${source.name}: the archive has ${root.digest}, made of the index ${rewrittenFrom}`);
  const name = nameOf(source);
  return {
    name: name ?? root.digest,
    root: {
      from: {
        ...source,
        reference: root.digest,
        root,
        asked: { reference: source.reference, digest: named },
        manifests,
      },
      to: {
        registry: archive.registry,
        repo: archiveRepository,
        tags: name === undefined ? [] : [archive.nameOf(name)],
        seen: { digest: undefined },
      },
      foreignLayers: 'copy',
      referrers,
      digestTags,
    },
  };
}

/** A full reference where the place has repositories with names, otherwise the name that the place has for it. */
function nameOf({ kind, tag, repository }: Place): string | undefined {
  if (tag === undefined || !kind.hasRepository) return tag;
  return `${repository.slice(kind.prefix.length)}:${tag}`;
}
