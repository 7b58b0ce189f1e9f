import type { Digest } from '../../model/digest.ts';
import { blobsOf, childrenOf, type ManifestView } from '../../model/manifest/manifest.ts';
import { isManifestType } from '../../model/manifest/media-types.ts';
import { type RepositoryName, type Tag, tryParseTag } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { atOnce } from '../at-once.ts';
import { DigestTable, grown } from '../digests/digest-table.ts';
import { Edges } from '../digests/edges.ts';
import { digestsIn, entriesIn } from '../listing.ts';
import { revisionLinkPath, revisionsPath, tagCurrentPath, tagsPath } from '../paths.ts';
import type { Store } from '../store.ts';
import { linkOrDamaged, readView } from './views.ts';

/** Reads in parallel: an object store answers many as fast as one. */
export const readsAtOnce = 16;

/** The bits of what is known of a digest. */
export const is = { revision: 1, readable: 2, tagged: 4, kept: 8, named: 16 } as const;

/**
 * What the tags and manifests of a repository lead to, without the manifests themselves: they are small numbers, so
 * that hundreds of thousands fit.
 */
export class RepositoryGraph {
  readonly digests = new DigestTable();
  /** From an index to its images, and from a subject to its referrers. */
  readonly leads = new Edges();
  /** From a manifest to its blobs. */
  readonly needs = new Edges();
  /** Where the bytes of a manifest are, if that is not its own digest. */
  readonly storedAs = new Map<number, Digest>();
  /** Subjects by their referrers. */
  readonly subjects = new Map<number, number>();
  /** Entries of revisions without a link. */
  readonly unlinked = new DigestTable();
  /** Tags that point at nothing. */
  readonly lostTags: Tag[] = [];
  /** Whether the references of a manifest are unknown. */
  isUnclear = false;
  /** Whether a tag is damaged: it could point at any manifest. */
  isTagDamaged = false;
  #bits = new Uint8Array(64);

  set(number: number, bits: number): void {
    while (number >= this.#bits.length) this.#bits = grown(this.#bits, Uint8Array);
    this.#bits[number] = (this.#bits[number] ?? 0) | bits;
  }

  /** Whether all of these bits are set. */
  has(number: number | undefined, bits: number): boolean {
    return number !== undefined && ((this.#bits[number] ?? 0) & bits) === bits;
  }

  hasDigest(digest: Digest, bits: number): boolean {
    return this.has(this.digests.numberOf(digest), bits);
  }

  /** The manifests. */
  *revisions(): Generator<number> {
    for (let number = 0; number < this.digests.size; number += 1) if (this.has(number, is.revision)) yield number;
  }

  /** Keeps manifests, and all that they lead to. */
  keep(roots: Iterable<number>): void {
    const queue = [...roots];
    for (let number = queue.pop(); number !== undefined; number = queue.pop()) {
      if (this.has(number, is.kept)) continue;
      this.set(number, is.kept);
      // What a manifest that is not there refers to does not count.
      if (this.has(number, is.revision)) for (const to of this.leads.from(number)) queue.push(to);
    }
  }

  learn(digest: Digest, view: ManifestView): void {
    const number = this.digests.add(digest);
    for (const child of childrenOf(view)) {
      const to = this.digests.add(child.digest);
      this.leads.add(number, to);
      // A child manifest counts by its own revision link; a child of another type is a blob.
      if (!isManifestType(child.mediaType)) this.needs.add(number, to);
    }
    for (const blob of blobsOf(view)) this.needs.add(number, this.digests.add(blob.digest));
    if (view.subject === undefined) return;
    const subject = this.digests.add(view.subject.digest);
    this.leads.add(subject, number);
    this.subjects.set(number, subject);
  }
}

/** Reads all tags and manifests of a repository. @throws OciError for whatever cannot be read, other than damage */
export async function readGraph(
  store: Store,
  repo: RepositoryName,
  { signal }: SignalOption = {},
): Promise<RepositoryGraph> {
  const graph = new RepositoryGraph();
  await atOnce(entriesIn(store.driver, tagsPath(repo)), readsAtOnce, async ({ name }) => {
    signal?.throwIfAborted();
    const tag = tryParseTag(name);
    if (tag === undefined) return;
    const target = await linkOrDamaged(store, tagCurrentPath(repo, tag));
    if (target === 'damaged') graph.isTagDamaged = true;
    else if (target === undefined) graph.lostTags.push(tag);
    else graph.set(graph.digests.add(target), is.tagged);
  });
  await atOnce(digestsIn(store.driver, revisionsPath(repo)), readsAtOnce, async (digest) => {
    signal?.throwIfAborted();
    const link = await linkOrDamaged(store, revisionLinkPath(repo, digest));
    if (link === undefined) return void graph.unlinked.add(digest);
    const number = graph.digests.add(digest);
    graph.set(number, is.revision);
    if (link !== 'damaged' && link !== digest) graph.storedAs.set(number, link);
    const view = link === 'damaged' ? 'unclear' : await readView(store, repo, digest, link);
    if (view === 'unclear') graph.isUnclear = true;
    else if (view !== undefined) {
      graph.set(number, is.readable);
      graph.learn(digest, view);
    }
  });
  return graph;
}
