import type { Digest } from '../../model/digest.ts';
import { childrenOf, type ManifestView } from '../../model/manifest/manifest.ts';
import { isManifestType } from '../../model/manifest/media-types.ts';
import { type Part, partsOf } from '../../model/manifest/parts.ts';
import { type RepositoryName, type Tag, tryParseTag } from '../../model/reference/reference.ts';
import { atOnce } from '../at-once.ts';
import { createBlobChecker } from '../blobs/checker.ts';
import { findBlob, linkBlob, removeDamagedLink } from '../blobs/links.ts';
import { readsAtOnce } from '../collect/graph.ts';
import { linkOrDamaged, readView } from '../collect/views.ts';
import { DigestTable } from '../digests/digest-table.ts';
import { digestsIn, entriesIn, isAnyBelow } from '../listing.ts';
import { whyInvalid } from '../manifests/manifests.ts';
import { removeHistory, removeRevision, removeTag } from '../manifests/revisions.ts';
import {
  blobPath,
  layerLinkPath,
  layersPath,
  referrerLinkPath,
  referrersPath,
  referrersRootPath,
  revisionLinkPath,
  revisionsPath,
  tagCurrentPath,
  tagsPath,
  uploadsPath,
} from '../paths.ts';
import type { Store } from '../store.ts';
import type { StoreFault } from './faults.ts';
import type { Inspection } from './inspection.ts';

/** Checks one repository. */
export class RepositoryCheck {
  readonly #all: Inspection;
  readonly #store: Store;
  readonly #repo: RepositoryName;
  readonly #tags = new Map<Digest, Tag[]>();
  /** What names each manifest or blob. */
  readonly #above = new Map<Digest, Digest[]>();
  readonly #revisions = new DigestTable();
  readonly #named = new DigestTable();

  constructor(inspection: Inspection, repo: RepositoryName) {
    this.#all = inspection;
    this.#store = inspection.store;
    this.#repo = repo;
  }

  async run(): Promise<void> {
    const repo = this.#repo;
    const { driver } = this.#store;
    await this.#readTags();
    // Twice, because the names of an image are known when all indexes are.
    await this.#each(digestsIn(driver, revisionsPath(repo)), 1, async (digest) => {
      const view = await this.#read(digest);
      if (typeof view === 'object') this.#learn(digest, view);
    });
    await this.#each(this.#revisions, 1, (digest) => this.#checkManifest(digest));
    for (const [target, tags] of this.#tags) {
      if (!this.#revisions.has(target)) for (const tag of tags) await this.#lostTag(tag, target);
    }
    await this.#each(digestsIn(driver, layersPath(repo)), 1, (digest) => this.#checkLink(digest));
    for await (const subject of digestsIn(driver, referrersRootPath(repo))) {
      for await (const digest of digestsIn(driver, referrersPath(repo, subject))) {
        if (!(await this.#isRevision(digest))) await this.#lostReferrer(subject, digest);
      }
    }
    // Only whether they can be read: a collection looks there.
    await isAnyBelow(driver, uploadsPath(repo));
  }

  async #each<T>(items: Iterable<T> | AsyncIterable<T>, count: number, work: (item: T) => Promise<void>) {
    await atOnce(items, count, async (item) => {
      this.#all.opts.signal?.throwIfAborted();
      await work(item);
    });
  }

  async #readTags(): Promise<void> {
    const damaged: Tag[] = [];
    await this.#each(entriesIn(this.#store.driver, tagsPath(this.#repo)), readsAtOnce, async ({ name }) => {
      const tag = tryParseTag(name);
      const target = tag && (await linkOrDamaged(this.#store, tagCurrentPath(this.#repo, tag)));
      if (tag === undefined || target === undefined) return;
      this.#all.result.tags += 1;
      if (target === 'damaged') damaged.push(tag);
      else addTo(this.#tags, target, tag);
    });
    for (const tag of damaged.sort()) await this.#damagedTag(tag);
  }

  async #damagedTag(tag: Tag): Promise<void> {
    const repo = this.#repo;
    await this.#report({ kind: 'tag', state: 'damaged', digest: undefined, names: [`${repo}:${tag}`] }, async () => {
      const path = tagCurrentPath(repo, tag);
      // One that was pushed meanwhile is sound again.
      if ((await linkOrDamaged(this.#store, path)) !== 'damaged') return undefined;
      if (!(await removeDamagedLink(this.#store, path))) return undefined;
      await removeHistory(this.#store, repo, tag);
      return 'removed';
    });
  }

  async #read(digest: Digest): Promise<ManifestView | 'unclear' | 'missing' | undefined> {
    const link = await linkOrDamaged(this.#store, revisionLinkPath(this.#repo, digest));
    if (link === undefined) return undefined;
    this.#revisions.add(digest);
    if (link === 'damaged') return 'unclear';
    return (await readView(this.#store, this.#repo, digest, link)) ?? 'missing';
  }

  #learn(digest: Digest, view: ManifestView): void {
    for (const child of childrenOf(view)) addTo(this.#above, child.digest, digest);
    if (view.subject !== undefined) addTo(this.#above, digest, view.subject.digest);
  }

  async #checkManifest(digest: Digest): Promise<void> {
    const view = await this.#read(digest);
    if (view === undefined) return; // deleted meanwhile
    this.#all.result.manifests += 1;
    if (view === 'missing') return await this.#unreadable(digest, 'missing');
    if (view === 'unclear') {
      const size = await this.#all.sizeOf(digest);
      if (await this.#isDamaged(digest)) return await this.#unreadable(digest, 'damaged', size);
      // A manifest of an unknown type is sound, as far as its bytes are.
      const error = await whyInvalid(this.#store, this.#repo, digest);
      if (error === undefined) return;
      const fault = { kind: 'manifest', state: 'invalid', digest, size, names: this.#names(digest), error } as const;
      return await this.#all.report(fault, undefined);
    }
    for (const { digest: child, mediaType, size } of childrenOf(view)) {
      if (!isManifestType(mediaType) || (await this.#isRevision(child))) continue;
      await this.#report({ kind: 'manifest', state: 'missing', digest: child, size, names: this.#names(child) }, () =>
        this.#fetchManifest(child),
      );
    }
    for (const part of partsOf(view)) if (!this.#named.has(part.descriptor.digest)) await this.#checkPart(digest, part);
  }

  async #isDamaged(digest: Digest): Promise<boolean> {
    const link = await linkOrDamaged(this.#store, revisionLinkPath(this.#repo, digest));
    if (link === 'damaged' || link === undefined) return true;
    return (await createBlobChecker(this.#store).checkBlob(undefined, link, this.#all.opts)) !== 'sound';
  }

  async #unreadable(digest: Digest, state: 'damaged' | 'missing', size?: number): Promise<void> {
    const link = await linkOrDamaged(this.#store, revisionLinkPath(this.#repo, digest));
    const stored = link === undefined || link === 'damaged' ? digest : link;
    if (this.#all.damaged.has(stored)) this.#all.damaged.set(stored, true);
    await this.#report({ kind: 'manifest', state, digest, size, names: this.#names(digest) }, async () => {
      if (this.#all.opts.fetcher !== undefined) return await this.#fetchManifest(digest);
      if (state === 'damaged') return undefined;
      return await this.#all.remove(digest, async () => {
        if ((await this.#read(digest)) !== 'missing') return false;
        await removeRevision(this.#store, { repo: this.#repo, digest, subject: undefined }, this.#all.opts);
        return true;
      });
    });
  }

  async #checkPart(manifest: Digest, { descriptor, kind, optional }: Part): Promise<void> {
    const { digest, size } = descriptor;
    this.#named.add(digest);
    const link = await linkOrDamaged(this.#store, layerLinkPath(this.#repo, digest));
    const stored = link === undefined || link === 'damaged' ? digest : link;
    const found = await this.#all.sizeOf(stored);
    if (this.#all.damaged.has(stored)) this.#all.damaged.set(stored, true);
    const isWrong = found !== undefined && (found !== size || this.#all.damaged.has(stored));
    if (found === undefined && optional) return;
    if (found !== undefined && !isWrong && link === stored) return;
    const names = this.#names(manifest);
    const fetch = async () => {
      await this.#all.opts.fetcher?.blob(this.#repo, descriptor);
      return this.#all.opts.fetcher && ('fetched' as const);
    };
    if (found === undefined) return await this.#report({ kind, state: 'missing', digest, size, names }, fetch);
    if (isWrong) return await this.#report({ kind, state: 'damaged', digest, size, names }, fetch);
    await this.#report({ kind, state: 'missing', digest, size, names }, async () => {
      const { marks } = this.#store;
      return await marks.during(async () => {
        const blob = await findBlob(this.#store, stored);
        const linked = blob && (await linkBlob(this.#store, this.#repo, digest, blob));
        return linked ? 'linked' : undefined;
      });
    });
  }

  async #checkLink(digest: Digest): Promise<void> {
    if (this.#named.has(digest)) return;
    const { driver } = this.#store;
    const path = layerLinkPath(this.#repo, digest);
    const isLost = async (): Promise<StoreFault['state'] | undefined> => {
      const link = await linkOrDamaged(this.#store, path);
      if (link === 'damaged') return 'damaged';
      return link !== undefined && (await driver.stat(blobPath(link))) === undefined ? 'dangling' : undefined;
    };
    const state = (await this.#all.sizeOf(digest)) === undefined ? await isLost() : await this.#damagedLink(path);
    if (state === undefined) return;
    await this.#report({ kind: 'link', state, digest, names: [this.#repo] }, () =>
      this.#all.remove(digest, async () => (await isLost()) !== undefined && (await driver.delete(path))),
    );
  }

  async #damagedLink(path: Parameters<typeof linkOrDamaged>[1]): Promise<'damaged' | undefined> {
    return (await linkOrDamaged(this.#store, path)) === 'damaged' ? 'damaged' : undefined;
  }

  async #lostTag(tag: Tag, target: Digest): Promise<void> {
    const repo = this.#repo;
    if (await this.#isRevision(target)) return;
    if ((await linkOrDamaged(this.#store, tagCurrentPath(repo, tag))) !== target) return;
    await this.#report({ kind: 'tag', state: 'dangling', digest: target, names: [`${repo}:${tag}`] }, async () => {
      if (this.#all.opts.fetcher !== undefined) return await this.#fetchManifest(target);
      return await this.#all.remove(target, async () => {
        return !(await this.#isRevision(target)) && (await removeTag(this.#store, repo, tag, target));
      });
    });
  }

  async #lostReferrer(subject: Digest, digest: Digest): Promise<void> {
    const path = referrerLinkPath(this.#repo, subject, digest);
    await this.#report({ kind: 'referrer', state: 'dangling', digest, names: [`${this.#repo}@${subject}`] }, () =>
      this.#all.remove(
        digest,
        async () => !(await this.#isRevision(digest)) && (await this.#store.driver.delete(path)),
      ),
    );
  }

  async #isRevision(digest: Digest): Promise<boolean> {
    return (await this.#store.driver.stat(revisionLinkPath(this.#repo, digest))) !== undefined;
  }

  async #fetchManifest(digest: Digest): Promise<'fetched' | undefined> {
    await this.#all.opts.fetcher?.manifest(this.#repo, digest);
    return this.#all.opts.fetcher && 'fetched';
  }

  /** The tags that lead to a manifest, or its own name. */
  #names(digest: Digest): readonly string[] {
    const names: string[] = [];
    const seen = new Set<Digest>([digest]);
    for (const each of seen) {
      for (const tag of this.#tags.get(each)?.sort() ?? []) names.push(`${this.#repo}:${tag}`);
      for (const above of this.#above.get(each) ?? []) seen.add(above);
    }
    return names.length > 0 ? names : [`${this.#repo}@${digest}`];
  }

  async #report(
    fault: Omit<StoreFault, 'repaired' | 'error' | 'size'> & { readonly size?: number | undefined },
    repair: () => Promise<StoreFault['repaired']>,
  ): Promise<void> {
    await this.#all.report({ size: undefined, ...fault }, repair);
  }
}

function addTo<T>(lists: Map<Digest, T[]>, digest: Digest, item: T): void {
  const list = lists.get(digest);
  if (list === undefined) lists.set(digest, [item]);
  else list.push(item);
}
