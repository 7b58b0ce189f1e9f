/** Finds the lists of parts of an image (SBOMs), wherever they are kept. */
import type { Digest } from '../../model/digest.ts';
import { unlessUnknown } from '../../model/errors.ts';
import { inOrder } from '../../model/in-order.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { blobsOf, type Manifest, type ManifestView } from '../../model/manifest/manifest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import type { RepositoryName, Tag } from '../../model/reference/reference.ts';
import { findDigestTags } from '../../registry/digest-tags.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { type Envelope, envelopeOf, formatOfPredicate, formatOfType, type SbomFormat } from './sbom-types.ts';

interface Repository {
  readonly registry: Registry;
  readonly repo: RepositoryName;
}

/** An image whose lists are looked for. */
export interface SearchedImage {
  /** The image, then the indexes that it is in. */
  readonly subjects: readonly Digest[];
  /** Entries of the index that are attestations of BuildKit about the image. */
  readonly attestations: readonly Descriptor[];
}

/** A list of parts. */
export interface Sbom {
  /**
   * `buildkit`: an attestation in the index; `bundle`: a sigstore bundle that refers to the image; `attestation`: under cosign's
   * tag `.att`; `referrer`: an artifact that refers to the image; `attachment`: under cosign's tag `.sbom`.
   */
  readonly place: 'buildkit' | 'bundle' | 'attestation' | 'referrer' | 'attachment';
  /** What it belongs to: the image, or an index that the image is in. */
  readonly subject: Digest;
  /** The manifest that names it. */
  readonly manifest: Digest;
  readonly tag: Tag | undefined;
  /** Undefined if nothing but its content tells. */
  readonly format: SbomFormat | undefined;
  /** Of the blob that it is in. */
  readonly blob: Descriptor;
  readonly envelope: Envelope;
}

/** How many manifests are read at once. */
const readAtOnce = 8;
/** Referrers are opened up to this number, those first whose type says what they are. */
const maxOpened = 200;

/**
 * Gives the attestations of BuildKit first, which need no list; then what hangs on the image, and what hangs on its index.
 *
 * @throws OciError what the registry throws: a list that cannot be read is not an empty one.
 */
export async function* findSboms(
  repository: Repository,
  { subjects, attestations }: SearchedImage,
  opts: SignalOption = {},
): AsyncGenerator<Sbom, void, undefined> {
  const [image] = subjects;
  if (image === undefined) return;
  const built = attestations.map(
    ({ digest }): Keeper => ({ place: 'buildkit', subject: image, digest, tag: undefined }),
  );
  yield* sbomsIn(repository, built, opts);
  const keepers = await Promise.all(subjects.map((subject) => keepersOf(repository, subject, opts)));
  yield* sbomsIn(repository, keepers.flat(), opts);
}

/** A manifest that may hold lists. */
interface Keeper extends Pick<Sbom, 'subject' | 'tag'> {
  readonly place: Sbom['place'];
  readonly digest: Digest;
}

async function keepersOf(repository: Repository, subject: Digest, opts: SignalOption): Promise<readonly Keeper[]> {
  const [referrers, tagged] = await Promise.all([
    likelyReferrers(repository, subject, opts),
    findDigestTags(repository, subject, opts),
  ]);
  const keepers = referrers.map(({ digest }): Keeper => ({ place: 'referrer', subject, digest, tag: undefined }));
  for (const [suffix, place] of [
    ['.att', 'attestation'],
    ['.sbom', 'attachment'],
  ] as const) {
    for (const { tag, node } of tagged)
      if (tag.endsWith(suffix)) keepers.push({ place, subject, digest: node.digest, tag });
  }
  return keepers;
}

/** Those whose type names a format first, then those that may hold one. */
async function likelyReferrers(
  { registry, repo }: Repository,
  subject: Digest,
  opts: SignalOption,
): Promise<readonly Descriptor[]> {
  const ranked: Descriptor[][] = [[], [], []];
  for await (const entry of registry.referrers(repo, subject, { ...opts, checked: true })) {
    const rank = rankOf(entry);
    const same = rank === undefined ? undefined : ranked[rank];
    if (same && same.length < maxOpened) same.push(entry);
  }
  return ranked.flat().slice(0, maxOpened);
}

const bundlePredicate = 'dev.sigstore.bundle.predicateType';
/** Types that say nothing. Writers that know no artifact types give that of an empty or an image's config. */
const unspecific: readonly string[] = [
  '',
  mediaTypes.ociEmpty,
  mediaTypes.ociConfig,
  'application/vnd.unknown.artifact.v1',
  'application/vnd.unknown.config.v1+json',
];

/** @returns Undefined for what holds none. */
function rankOf({ artifactType = '', annotations }: Descriptor): number | undefined {
  const predicateType = annotations?.[bundlePredicate];
  if (predicateType !== undefined) return formatOfPredicate(predicateType) ? 0 : undefined;
  if (formatOfType(artifactType)) return 0;
  if (envelopeOf(artifactType) !== 'none') return 1;
  return unspecific.includes(artifactType) || artifactType.includes('sbom') ? 2 : undefined;
}

async function* sbomsIn(
  { registry, repo }: Repository,
  keepers: readonly Keeper[],
  opts: SignalOption,
): AsyncGenerator<Sbom, void, undefined> {
  const read = async (keeper: Keeper): Promise<readonly [Keeper, Manifest | undefined]> => [
    keeper,
    // By now it may be deleted, and what hangs on an image need not be well-formed.
    await unlessUnknown(registry.getManifest(repo, keeper.digest, opts), 'MANIFEST_UNKNOWN', 'MANIFEST_INVALID'),
  ];
  for await (const [keeper, manifest] of inOrder(keepers, readAtOnce, read)) {
    if (manifest) yield* documentsOf(keeper, manifest.view);
  }
}

function* documentsOf({ place, subject, digest, tag }: Keeper, view: ManifestView): Generator<Sbom> {
  for (const blob of contentOf(view)) {
    const envelope = envelopeOf(blob.mediaType);
    const document = { subject, manifest: digest, tag, blob, envelope };
    if (envelope === 'none') {
      const format = formatOfType(blob.mediaType) ?? formatOfType(view.artifactType ?? '');
      if (format || place === 'attachment') yield { ...document, place, format };
      continue;
    }
    const predicateType = predicateTypeOf(blob, view);
    const format = predicateType === undefined ? undefined : formatOfPredicate(predicateType);
    if (predicateType !== undefined && !format) continue;
    yield { ...document, place: envelope === 'bundle' ? 'bundle' : place, format };
  }
}

function contentOf(view: ManifestView): readonly Descriptor[] {
  return view.kind === 'image' ? view.layers : blobsOf(view);
}

function predicateTypeOf({ annotations }: Descriptor, view: ManifestView): string | undefined {
  // As BuildKit, cosign and cosign's bundles have it.
  return (
    annotations?.['in-toto.io/predicate-type'] ?? annotations?.['predicateType'] ?? view.annotations[bundlePredicate]
  );
}
