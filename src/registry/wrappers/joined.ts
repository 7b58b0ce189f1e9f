import type { Digest } from '../../model/digest.ts';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import { blobsOf, childrenOf, type Manifest } from '../../model/manifest/manifest.ts';
import { isDigestReference, type RepositoryName } from '../../model/reference/reference.ts';
import type { Content } from '../content.ts';
import { refusedWrites } from '../refused-writes.ts';
import type { Registry } from '../registry.ts';

/** A repository that a part is in. */
interface Holder {
  readonly registry: Registry;
  readonly repo: RepositoryName;
}

/** Several repositories read as one. Whatever repository is named has what is in any of them. */
interface Joined<H extends Holder> {
  readonly registry: Registry;
  /** Tells that a repository has a manifest, with all that it names. */
  add(manifest: Manifest, holder: H): void;
  /** The repository that is known to have a blob or manifest. */
  holderOf(digest: Digest): H | undefined;
}

/** Joins repositories, of the same registry or of different ones. What none of them is known to have is looked for in each. */
export function joined<H extends Holder>(holders: readonly H[]): Joined<H> {
  const known = new Map<Digest, H>();
  const add = (manifest: Manifest, holder: H): void => {
    for (const { digest } of [manifest.descriptor, ...blobsOf(manifest.view), ...childrenOf(manifest.view)]) {
      if (!known.has(digest)) known.set(digest, holder);
    }
  };
  const inOrder = (digest: Digest): readonly H[] => {
    const first = known.get(digest);
    return first ? [first, ...holders.filter((holder) => holder !== first)] : holders;
  };
  async function find<T>(digest: Digest, look: (holder: H) => Promise<T>): Promise<readonly [T, H]> {
    for (const holder of inOrder(digest)) {
      const found = await unlessUnknown(look(holder), 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'NAME_UNKNOWN');
      if (found !== undefined) return [found, holder];
    }
    throw new OciError('MANIFEST_UNKNOWN', `${digest} is in none of the places`);
  }
  async function* nothing(): AsyncGenerator<never, void, undefined> {}
  const registry: Registry = {
    name: holders[0]?.registry.name ?? 'nothing',
    ping: async () => ({ authorized: true, challenges: [] }),
    extension: () => undefined,
    async getManifest(_, reference, opts) {
      if (!isDigestReference(reference)) throw new OciError('MANIFEST_UNKNOWN', `there is no tag ${reference}`);
      const [manifest, holder] = await find(reference, ({ registry: from, repo }) =>
        from.getManifest(repo, reference, opts),
      );
      add(manifest, holder);
      return manifest;
    },
    async statManifest(_, reference, opts) {
      if (!isDigestReference(reference)) throw new OciError('MANIFEST_UNKNOWN', `there is no tag ${reference}`);
      return (await find(reference, ({ registry: from, repo }) => from.statManifest(repo, reference, opts)))[0];
    },
    async getBlob(_, blob, opts): Promise<Content> {
      const digest = typeof blob === 'string' ? blob : blob.digest;
      return (await find(digest, ({ registry: from, repo }) => from.getBlob(repo, blob, opts)))[0];
    },
    statBlob: async (_, digest, opts) =>
      (await find(digest, ({ registry: from, repo }) => from.statBlob(repo, digest, opts)))[0],
    repositories: nothing,
    tags: nothing,
    referrers: nothing,
    ...refusedWrites(async () => {
      throw new OciError('DENIED', 'it is only read');
    }),
  };
  return { registry, add, holderOf: (digest) => known.get(digest) };
}
