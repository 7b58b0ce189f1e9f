/** Finds what hangs on a manifest: signatures, attestations, SBOMs and other artifacts, wherever they are kept. */
import type { Digest } from '../../model/digest.ts';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import { inOrder } from '../../model/in-order.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { childrenOf, type Manifest, type ManifestView } from '../../model/manifest/manifest.ts';
import { isIndexType } from '../../model/manifest/media-types.ts';
import { attestedDigest, isAttestation } from '../../model/platform/platform-selection.ts';
import type { RepositoryName, Tag } from '../../model/reference/reference.ts';
import { findDigestTags } from '../../registry/digest-tags.ts';
import { TagsByDigest } from '../../registry/known-tags.ts';
import type { KnownTags } from '../../registry/options.ts';
import { referrerEntry } from '../../registry/referrers.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';

/**
 * Why a manifest belongs to another: `referrer`: it names it as its subject; `digest-tag`: its tag is named after the other's
 * digest; `attestation`: BuildKit put it into the index for it; `child`: it is an entry of the index, an image or an index.
 */
export type TreeNodeKind = 'referrer' | 'digest-tag' | 'attestation' | 'child';

/** A manifest that belongs to another one. */
export interface TreeNode {
  /** How it belongs to the subject. */
  readonly kind: TreeNodeKind;
  /** What it belongs to: the root, or a node that was given before. */
  readonly subject: Digest;
  /** Media type, digest and size; the platform too, of a child. */
  readonly descriptor: Descriptor;
  /** Its artifact type, or the media type of its config; undefined for a child, and where nothing tells it. */
  readonly artifactType: string | undefined;
  /** Of the manifest, or of a child's entry in the index. */
  readonly annotations: Readonly<Record<string, string>>;
  /** What an attestation of BuildKit states: `https://spdx.dev/Document`. Empty for other nodes. */
  readonly predicateTypes: readonly string[];
  /** Of a `digest-tag`. */
  readonly tag: Tag | undefined;
  /** 1 for what hangs on the root or on its children, 2 for what hangs on that. A child has its index's depth. */
  readonly depth: number;
  /** Whether its manifest was met before, perhaps as the root. What hangs on it is given once. */
  readonly repeated: boolean;
}

interface TreeOptions extends SignalOption {
  /** How many levels are looked for. Default: all of them; a manifest below the 32nd is an error. */
  readonly depth?: number | undefined;
  /** How many nodes are given at most, default 100 000. */
  readonly limit?: number | undefined;
  /** Whether images of an index are looked at, and its attestations. Default true. */
  readonly children?: boolean | undefined;
  /** Entries of the index that the root is in. Those that describe the root hang on it. */
  readonly beside?: readonly Descriptor[] | undefined;
}

/** How many manifests are asked about at once: each is up to five requests, of many fewer. */
const subjectsAtOnce = 8;
const maxDepth = 32;
const maxNodes = 100_000;
/** Deeper nesting of indexes is treated as an attack. */
const maxNesting = 16;

interface Place {
  readonly registry: Registry;
  readonly repo: RepositoryName;
}

/** A manifest, whose belongings are looked for. */
interface Subject {
  readonly descriptor: Descriptor;
  readonly depth: number;
  /** How many indexes it is in. */
  readonly nesting: number;
}

/**
 * Gives what hangs on a manifest, level by level, while it is being found: referrers, tags named after digests, attestations
 * of BuildKit; for an index also the children and what hangs on them. Nothing is kept but digests.
 *
 * Lists that clients maintain under a fallback tag are checked: see {@link ReferrerOptions.checked}. A list that cannot be
 * read is an error, never an empty one.
 *
 * @param root A manifest that is there.
 * @throws OciError MANIFEST_UNKNOWN for an index that is not there; TOO_LARGE for a tree without end; what the registry throws.
 */
export async function* referrersTree(
  repository: Place,
  root: Descriptor,
  { depth = Number.POSITIVE_INFINITY, limit = maxNodes, children = true, beside = [], signal }: TreeOptions = {},
): AsyncGenerator<TreeNode, void, undefined> {
  const met = new Set<Digest>([root.digest]);
  const knownTags = new TagsByDigest(repository, { signal });
  let count = 0;
  const look = async (subject: Subject): Promise<readonly Found[]> =>
    subject.depth < depth
      ? belongings(repository, subject, { signal, knownTags, children, beside: isRoot(subject) ? beside : [] })
      : [];
  let level: Subject[] = [{ descriptor: root, depth: 0, nesting: 0 }];
  while (level.length > 0) {
    const next: Subject[] = [];
    knownTags.expect(level.length);
    for await (const found of inOrder(level, subjectsAtOnce, look)) {
      for (const { nesting, ...node } of found) {
        count += 1;
        if (count > limit) throw endless(root, `more than ${limit} manifests`);
        const repeated = met.has(node.descriptor.digest);
        yield { ...node, repeated };
        if (repeated) continue;
        met.add(node.descriptor.digest);
        if (node.depth > maxDepth) throw endless(root, `more than ${maxDepth} levels`);
        if (nesting > maxNesting) throw endless(root, `indexes in each other, more than ${maxNesting} deep`);
        next.push({ descriptor: node.descriptor, depth: node.depth, nesting });
      }
    }
    level = next;
  }
}

function isRoot({ depth, nesting }: Subject): boolean {
  return depth === 0 && nesting === 0;
}

type Found = Omit<TreeNode, 'repeated'> & Pick<Subject, 'nesting'>;

interface LookOptions extends ListingOptions {
  readonly beside: readonly Descriptor[];
  readonly children: boolean;
}

interface ListingOptions extends SignalOption {
  readonly knownTags: KnownTags;
}

async function belongings(
  repository: Place,
  subject: Subject,
  { beside, children, knownTags, signal }: LookOptions,
): Promise<readonly Found[]> {
  const { digest, mediaType } = subject.descriptor;
  const opts = { signal };
  const [referrers, tagged, entries] = await Promise.all([
    listReferrers(repository, digest, { signal, knownTags }),
    findDigestTags(repository, digest, { signal, knownTags }),
    children && isIndexType(mediaType) ? entriesOf(repository, subject, opts) : [],
  ]);
  const found: Found[] = referrers.map((entry) => ({ ...below(subject, 'referrer', entry), ...typeOf(entry) }));
  for (const { tag, node } of tagged) {
    const manifest = await readIfThere(repository, node.digest, opts);
    found.push({ ...below(subject, 'digest-tag', node), ...statedBy(manifest), tag });
  }
  for (const entry of entries.filter((one) => !isAttestation(one))) {
    const { annotations = {} } = entry;
    const child = { ...below(subject, 'child', entry), annotations };
    found.push({ ...child, depth: subject.depth, nesting: subject.nesting + 1 });
  }
  const about = beside.filter((entry) => attestedDigest(entry) === digest);
  for (const entry of [...entries.filter(isAttestation), ...about]) {
    const manifest = await readIfThere(repository, entry.digest, opts);
    const attestation = { ...below(subject, 'attestation', entry), ...statedBy(manifest) };
    const predicateTypes = manifest ? predicateTypesOf(manifest.view) : [];
    const image = entries.find((one) => one.digest === attestedDigest(entry));
    found.push({ ...attestation, subject: image?.digest ?? digest, predicateTypes });
  }
  return found;
}

async function listReferrers(
  { registry, repo }: Place,
  digest: Digest,
  opts: ListingOptions,
): Promise<readonly Descriptor[]> {
  const found: Descriptor[] = [];
  for await (const entry of registry.referrers(repo, digest, { ...opts, checked: true })) found.push(entry);
  return found;
}

/** The entries of an index; of one that is not the root, none if it is not there: some places keep a part of an image. */
async function entriesOf(
  { registry, repo }: Place,
  subject: Subject,
  opts: SignalOption,
): Promise<readonly Descriptor[]> {
  const reading = registry.getManifest(repo, subject.descriptor.digest, opts);
  const manifest = isRoot(subject) ? await reading : await unlessUnknown(reading, 'MANIFEST_UNKNOWN');
  return manifest ? childrenOf(manifest.view) : [];
}

/** What an attestation's layers state, each once: `https://spdx.dev/Document`. */
function predicateTypesOf(view: ManifestView): readonly string[] {
  const layers = view.kind === 'image' ? view.layers : [];
  return [...new Set(layers.flatMap(({ annotations }) => annotations?.['in-toto.io/predicate-type'] ?? []))];
}

function readIfThere({ registry, repo }: Place, digest: Digest, opts: SignalOption): Promise<Manifest | undefined> {
  return unlessUnknown(registry.getManifest(repo, digest, opts), 'MANIFEST_UNKNOWN', 'MANIFEST_INVALID');
}

function below(subject: Subject, kind: TreeNodeKind, entry: Descriptor): Found {
  const { mediaType, digest, size, platform } = entry;
  return {
    kind,
    subject: subject.descriptor.digest,
    descriptor: { mediaType, digest, size, ...(platform && kind === 'child' && { platform }) },
    artifactType: undefined,
    annotations: {},
    predicateTypes: [],
    tag: undefined,
    depth: subject.depth + 1,
    nesting: 0,
  };
}

function statedBy(manifest: Manifest | undefined): Pick<TreeNode, 'artifactType' | 'annotations'> {
  return typeOf(manifest && referrerEntry(manifest.descriptor, manifest.view));
}

function typeOf(entry: Descriptor | undefined): Pick<TreeNode, 'artifactType' | 'annotations'> {
  return { artifactType: entry?.artifactType, annotations: entry?.annotations ?? {} };
}

function endless({ digest }: Descriptor, what: string): OciError {
  return new OciError('TOO_LARGE', `what hangs on ${digest} has no end: ${what}`);
}
