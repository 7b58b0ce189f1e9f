/** Copies a registry's store to another driver: first blobs, then links, then tags. */
import type { OciError } from '../../model/errors.ts';
import { type RepositoryName, tryParseTag } from '../../model/reference/reference.ts';
import { atOnce } from '../at-once.ts';
import { readSoundLink, writeLink } from '../blobs/links.ts';
import { linkOrDamaged } from '../collect/views.ts';
import type { StorePath } from '../driver.ts';
import { digestsIn, entriesIn } from '../listing.ts';
import { walkRepositories } from '../manifests/repositories.ts';
import { holdEverything } from '../marks/marks.ts';
import {
  layerLinkPath,
  layersPath,
  mediaTypePath,
  pinPath,
  referrerLinkPath,
  referrersPath,
  referrersRootPath,
  revisionLinkPath,
  revisionsPath,
  tagCurrentPath,
  tagIndexLinkPath,
  tagIndexPath,
  tagsPath,
} from '../paths.ts';
import type { Store } from '../store.ts';
import { BlobCopier } from './copy-blobs.ts';
import type { CopyOptions, CopyTotals } from './copy-totals.ts';
import { type ReadableSource, readableSource } from './readable-source.ts';

const linksAtOnce = 16;
const maxSmallBytes = 1_024;

/**
 * Copies all blobs, manifests and tags. What is there stays, so an interrupted copy goes on; only a tag with another
 * target is written anew. Uploads and downloads that are not finished stay behind. No collection of the destination
 * removes anything meanwhile. What cannot be read of a repository, because something else is in its place or for lack of permissions, is told, and stays
 * behind.
 *
 * @throws OciError STORAGE and others if something else cannot be read, or something cannot be written.
 */
export async function copyStore(from: Store, to: Store, opts: CopyOptions = {}): Promise<CopyTotals> {
  const totals: CopyTotals = {
    copied: { count: 0, bytes: 0 },
    present: { count: 0, bytes: 0 },
    damaged: [],
    unreadable: [],
    repositories: 0,
    links: 0,
    tags: 0,
    dangling: 0,
    left: 0,
  };
  const held = opts.dryRun === true ? undefined : await holdEverything(to.driver);
  try {
    await new Copy(from, to, opts, totals, () => held?.check()).run();
    return totals;
  } finally {
    await held?.[Symbol.asyncDispose]();
  }
}

class Copy {
  readonly #from: Store;
  readonly #isUnreadable: ReadableSource['isUnreadable'];
  readonly #to: Store;
  readonly #opts: CopyOptions;
  readonly #totals: CopyTotals;
  readonly #check: () => void;
  readonly #blobs: BlobCopier;

  constructor(from: Store, to: Store, opts: CopyOptions, totals: CopyTotals, check: () => void) {
    const { driver, isUnreadable } = readableSource(from.driver);
    this.#from = { ...from, driver };
    this.#isUnreadable = isUnreadable;
    this.#to = to;
    this.#opts = opts;
    this.#totals = totals;
    this.#check = check;
    const onUnreadable = (name: string, error: OciError) => this.#leave(name, error);
    this.#blobs = new BlobCopier(this.#from, to, { ...opts, onUnreadable, isUnreadable }, totals);
  }

  async run(): Promise<void> {
    await this.#blobs.copyAll(this.#check);
    for (const step of [(repo: RepositoryName) => this.#links(repo), (repo: RepositoryName) => this.#tags(repo)]) {
      const onUnreadable = (name: string, error: OciError) => this.#leave(name, error);
      for await (const repo of walkRepositories(this.#from.driver, { onUnreadable })) {
        this.#opts.signal?.throwIfAborted();
        this.#check();
        try {
          await step(repo);
        } catch (error) {
          if (!this.#isUnreadable(error)) throw error;
          this.#leave(repo, error);
        }
      }
    }
  }

  // Twice for a repository of which neither links nor tags can be read.
  #leave(name: string, error: OciError): void {
    if (this.#totals.unreadable.includes(name)) return;
    this.#totals.unreadable.push(name);
    this.#opts.onUnreadable?.(name, error);
  }

  async #links(repo: RepositoryName): Promise<void> {
    const { driver } = this.#from;
    this.#totals.repositories += 1;
    await this.#each(digestsIn(driver, layersPath(repo)), (digest) => this.#link(layerLinkPath(repo, digest)));
    await this.#each(digestsIn(driver, revisionsPath(repo)), async (digest) => {
      // The link goes last: a manifest without its type would be another.
      await this.#small(mediaTypePath(repo, digest));
      await this.#small(pinPath(repo, digest));
      await this.#link(revisionLinkPath(repo, digest));
    });
    for await (const subject of digestsIn(driver, referrersRootPath(repo))) {
      await this.#each(digestsIn(driver, referrersPath(repo, subject)), (digest) =>
        this.#link(referrerLinkPath(repo, subject, digest)),
      );
    }
  }

  async #tags(repo: RepositoryName): Promise<void> {
    await this.#each(entriesIn(this.#from.driver, tagsPath(repo)), async ({ name }) => {
      const tag = tryParseTag(name);
      if (tag === undefined) return;
      const path = tagCurrentPath(repo, tag);
      const [target, before] = [await linkOrDamaged(this.#from, path), await readSoundLink(this.#to, path)];
      if (target === undefined) return;
      if (target === 'damaged') {
        this.#totals.left += 1;
        return;
      }
      const revision = this.#opts.dryRun === true ? this.#from : this.#to;
      if ((await revision.driver.stat(revisionLinkPath(repo, target))) === undefined) {
        this.#totals.left += 1;
        return;
      }
      for await (const digest of digestsIn(this.#from.driver, tagIndexPath(repo, tag))) {
        await this.#small(tagIndexLinkPath(repo, tag, digest));
      }
      if (before === target) return;
      if (this.#opts.dryRun !== true) await writeLink(this.#to, path, target);
      this.#totals.tags += 1;
    });
  }

  async #each<T>(items: AsyncIterable<T>, work: (item: T) => Promise<void>): Promise<void> {
    await atOnce(items, linksAtOnce, async (item) => {
      this.#opts.signal?.throwIfAborted();
      await work(item);
    });
  }

  // What a link holds follows from its name, but for other algorithms than sha256, whose links never change either.
  async #link(path: StorePath): Promise<void> {
    if ((await this.#to.driver.stat(path)) !== undefined) return;
    const target = await readSoundLink(this.#from, path);
    if (target === undefined) return;
    if (!(await this.#blobs.bring(target))) {
      this.#totals.dangling += 1;
      return;
    }
    if (this.#opts.dryRun !== true) await writeLink(this.#to, path, target);
    this.#totals.links += 1;
  }

  async #small(path: StorePath): Promise<void> {
    const bytes = await this.#from.driver.get(path, maxSmallBytes);
    if (bytes === undefined || (await this.#to.driver.stat(path)) !== undefined) return;
    if (this.#opts.dryRun !== true) await this.#to.driver.put(path, bytes);
  }
}
