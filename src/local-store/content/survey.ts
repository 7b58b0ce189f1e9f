/** What the local store should hold: its manifests, and the blobs that they name. Only manifests are read. */
import type { Digest } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { type Part, partsOf } from '../../model/manifest/parts.ts';
import { familiarName, fromStoreName, type StoreName, type Tag } from '../../model/reference/reference.ts';
import { manifestEnumerator } from '../../registry/extensions.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { digestOfTag } from '../../registry/tags.ts';
import { entriesWhileThere } from '../vanished.ts';
import { type ImageNames, nameManifests, type SurveyedTag } from './names.ts';

/** A blob that manifests of the store name. */
export interface SurveyedBlob extends Part {
  /** The repositories that should have it, each with the manifests that name it. */
  readonly holders: Map<StoreName, Set<Digest>>;
  /** The images that it is a part of, by the digest that a tag points at. */
  readonly images: Set<Digest>;
}

/** A manifest or tag that cannot be read. */
export interface Unreadable {
  readonly kind: 'manifest' | 'tag';
  readonly repo: StoreName;
  /** Undefined for a tag that holds no digest. */
  readonly digest: Digest | undefined;
  readonly state: 'damaged' | 'missing';
  readonly images: readonly string[];
}

export interface Survey {
  readonly blobs: ReadonlyMap<Digest, SurveyedBlob>;
  /** Every readable manifest, with its size in bytes and the images that it is a part of. */
  readonly manifests: ReadonlyMap<Digest, { readonly size: number; readonly images: ReadonlySet<Digest> }>;
  readonly unreadable: readonly Unreadable[];
  /** The names of each image, by the digest that its tags point at: `alpine:3`, `alpine@sha256:…` without a tag. */
  readonly images: ReadonlyMap<Digest, readonly string[]>;
}

/** The images to which a survey is limited: the manifests and tags that were named in each repository. */
export type Chosen = ReadonlyMap<StoreName, { readonly digests: ReadonlySet<Digest>; readonly tags: ReadonlySet<Tag> }>;

/**
 * Lists what the store should hold.
 *
 * @param opts.only Limits it to these images, with the manifests below them and their referrers.
 */
export async function surveyStore(
  registry: Registry,
  { only, signal }: SignalOption & { readonly only?: Chosen | undefined } = {},
): Promise<Survey> {
  const survey = {
    blobs: new Map<Digest, SurveyedBlob>(),
    manifests: new Map<Digest, { readonly size: number; readonly images: Set<Digest> }>(),
    unreadable: [] as Unreadable[],
    images: new Map<Digest, string[]>(),
  };
  for await (const repo of registry.repositories({ signal })) {
    const origin = fromStoreName(repo);
    if (origin === undefined || (only !== undefined && !only.has(repo as StoreName))) continue;
    const found = await readRepository(registry, repo as StoreName, { signal });
    const names = nameManifests(familiarName(origin), found, only?.get(repo as StoreName));
    survey.unreadable.push(...found.unreadable(names));
    for (const [root, each] of names.roots) survey.images.set(root, [...(survey.images.get(root) ?? []), ...each]);
    for (const [digest, manifest] of found.manifests) {
      const roots = names.rootsOf(digest);
      if (roots.size === 0) continue;
      if (manifest === undefined) continue;
      addTo(survey.manifests, digest, { size: manifest.descriptor.size, images: roots });
      for (const part of partsOf(manifest.view)) {
        addBlob(survey.blobs, { ...part, repo: repo as StoreName, manifest: digest, images: roots });
      }
    }
  }
  return survey;
}

function addTo(
  manifests: Map<Digest, { readonly size: number; readonly images: Set<Digest> }>,
  digest: Digest,
  { size, images }: { readonly size: number; readonly images: ReadonlySet<Digest> },
): void {
  const known = manifests.get(digest);
  if (known === undefined) manifests.set(digest, { size, images: new Set(images) });
  else for (const image of images) known.images.add(image);
}

function addBlob(
  blobs: Map<Digest, SurveyedBlob>,
  {
    repo,
    manifest,
    images,
    ...part
  }: Part & { readonly repo: StoreName; readonly manifest: Digest; readonly images: ReadonlySet<Digest> },
): void {
  const { digest } = part.descriptor;
  const known = blobs.get(digest) ?? { ...part, holders: new Map(), images: new Set() };
  blobs.set(digest, known);
  known.holders.set(repo, (known.holders.get(repo) ?? new Set()).add(manifest));
  for (const image of images) known.images.add(image);
}

interface FoundRepository {
  /** Undefined for a manifest that cannot be read, or is of no known kind. */
  readonly manifests: ReadonlyMap<Digest, Manifest | undefined>;
  readonly tags: readonly SurveyedTag[];
  unreadable(names: ImageNames): readonly Unreadable[];
}

async function readRepository(registry: Registry, repo: StoreName, opts: SignalOption): Promise<FoundRepository> {
  const faults = new Map<Digest, Unreadable['state']>();
  const manifests = new Map<Digest, Manifest | undefined>();
  for await (const digest of entriesWhileThere(listed(registry, repo, opts))) {
    const manifest = await readOr(registry, repo, digest, opts);
    manifests.set(digest, typeof manifest === 'string' ? undefined : manifest);
    if (manifest === 'damaged' || (manifest === 'missing' && (await isListed(registry, repo, digest, opts)))) {
      faults.set(digest, manifest);
    }
  }
  const tags: SurveyedTag[] = [];
  for await (const tag of entriesWhileThere(registry.tags(repo, opts))) {
    const digest = await tagOr(registry, repo, tag, opts);
    if (digest === undefined) continue;
    const isLost = digest !== 'damaged' && !manifests.has(digest) && !(await isListed(registry, repo, digest, opts));
    // Removed meanwhile, with its manifest.
    if (isLost && (await tagOr(registry, repo, tag, opts)) !== digest) continue;
    if (isLost) faults.set(digest, 'missing');
    tags.push({ tag, digest: digest === 'damaged' ? undefined : digest });
  }
  return {
    manifests,
    tags,
    unreadable: (names) => [
      ...[...faults].flatMap(([digest, state]): Unreadable[] => {
        const images = names.of(digest);
        return images.length === 0 ? [] : [{ kind: 'manifest', repo, digest, state, images }];
      }),
      ...names.damagedTags.map((name): Unreadable => {
        return { kind: 'tag', repo, digest: undefined, state: 'damaged', images: [name] };
      }),
    ],
  };
}

async function readOr(
  registry: Registry,
  repo: StoreName,
  digest: Digest,
  opts: SignalOption,
): Promise<Manifest | Unreadable['state'] | undefined> {
  try {
    return await registry.getManifest(repo, digest, opts);
  } catch (error) {
    if (isOciError(error, 'STORAGE_DAMAGED')) return 'damaged';
    if (isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return 'missing';
    // Its bytes are right, and they are no manifest: whoever published it is at fault.
    if (isOciError(error, 'MANIFEST_INVALID')) return undefined;
    throw error;
  }
}

async function tagOr(
  registry: Registry,
  repo: StoreName,
  tag: Tag,
  opts: SignalOption,
): Promise<Digest | 'damaged' | undefined> {
  try {
    return await digestOfTag(registry, repo, tag, opts);
  } catch (error) {
    if (isOciError(error, 'STORAGE_DAMAGED')) return 'damaged';
    throw error;
  }
}

async function* listed(registry: Registry, repo: StoreName, opts: SignalOption): AsyncGenerator<Digest> {
  yield* registry.extension(manifestEnumerator)?.manifests(repo, opts) ?? [];
}

/** Whether a repository of the store has a manifest, readable or not. */
export async function isListed(
  registry: Registry,
  repo: StoreName,
  digest: Digest,
  opts: SignalOption,
): Promise<boolean> {
  for await (const known of entriesWhileThere(listed(registry, repo, opts))) if (known === digest) return true;
  return false;
}
