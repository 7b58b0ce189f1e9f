/** Reads the manifests of a graph, and learns which of them the destination has. */
import type { Digest } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import type { Share } from './fan-out/branch.ts';
import type { TransferOptions } from './options.ts';
import type { Hold, ManifestNode, Target } from './target.ts';

/** How many manifests are read ahead of the one that is visited, and up to which size. */
const aheadCount = 8;
const aheadBytes = 256 * 1024;

interface Shared {
  readonly hold: Hold;
  readonly target: Target;
  readonly share?: Share | undefined;
}

export class NodeReader {
  /** Whether the destination has the root under another name, where that is still being asked. Never rejects. */
  rootIsThere: Promise<boolean> | undefined;
  readonly #root: Digest;
  readonly #options: TransferOptions;
  readonly #share: Share | undefined;
  readonly #hold: Hold;
  readonly #target: Target;
  readonly #reading = new Set<Promise<unknown>>();

  constructor(root: Digest, options: TransferOptions, { hold, target, share }: Shared) {
    this.#share = share;
    this.#root = root;
    this.#options = options;
    this.#hold = hold;
    this.#target = target;
  }

  /** A manifest. A sparse destination is the local store, where it is looked for first. */
  get({ digest }: Pick<Descriptor, 'digest'>): Promise<ManifestNode> {
    const { from, to, transform, signal } = this.#options;
    const read = (): Promise<Manifest> => from.registry.getManifest(from.repo, digest, { signal });
    const fetch = async (): Promise<Manifest> =>
      from.manifests?.find(({ descriptor }) => descriptor.digest === digest) ??
      (await (this.#share?.manifest(digest, read) ?? read()));
    return this.#hold.read(digest, async () => {
      // The transform has not run yet, so the digest at the destination is unknown.
      if (transform) return { manifest: await fetch(), exists: false };
      if (to.sparse) {
        const there = await unlessLost(to.registry.getManifest(to.repo, digest, { signal }));
        return there ? { manifest: there, exists: true } : { manifest: await fetch(), exists: false };
      }
      const isTagged = digest === this.#root && to.seen?.digest === digest;
      if (isTagged || this.#target.there.has(digest)) return { manifest: await fetch(), exists: true };
      const there = unlessLost(to.registry.statManifest(to.repo, digest, { signal, mayBeAbsent: true }));
      if (digest === this.#root && this.#isProbablyNew()) {
        this.rootIsThere = there.then(
          (stat) => stat !== undefined,
          () => false,
        );
        return { manifest: await fetch(), exists: false };
      }
      const [manifest, stat] = await Promise.all([fetch(), there]);
      return { manifest, exists: stat !== undefined };
    });
  }

  /** Begins to read entries from one on. Each is read once, and visited in its turn. */
  readAhead(entries: readonly Descriptor[], from: number): void {
    for (const entry of entries.slice(from, from + aheadCount)) {
      if (entry.size > aheadBytes || this.#target.there.has(entry.digest)) continue;
      const reading = this.get(entry).catch(() => {});
      this.#reading.add(reading);
      void reading.then(() => this.#reading.delete(reading));
    }
  }

  /** Resolves when nothing is being read any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#reading);
  }

  // Its tag points elsewhere, or nowhere. So its blobs are looked up without waiting for the look at its digest. An image
  // that only gets another tag in its repository is there.
  #isProbablyNew(): boolean {
    const { to, mountFrom } = this.#options;
    return to.seen !== undefined && mountFrom !== to.repo;
  }
}

/** What a destination has; anything damaged there counts as missing and is transferred again. */
export function unlessLost<T>(promise: Promise<T>): Promise<T | undefined> {
  return unlessUnknown(promise, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'BLOB_UNKNOWN', 'STORAGE_DAMAGED');
}
