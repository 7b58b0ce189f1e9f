import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { partsOf } from '../../model/manifest/parts.ts';
import { fromStoreName, type Reference, type RepositoryName } from '../../model/reference/reference.ts';
import type { BlobSource } from '../../registry/content.ts';
import type { BlobChecker } from '../../registry/extensions.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';

/** Opens the registry that an image was pulled from. */
export type OpenOrigin = (from: Pick<Reference, 'domain' | 'path'>) => Promise<Registry>;

/** Where a repository's content is fetched from. */
interface Origin {
  readonly registry: Registry;
  readonly path: RepositoryName;
}

/** Fetches content of the store again, from the registry that its repository is named after. */
export interface Repairer {
  /** @throws OciError as a pull */
  blob(repo: RepositoryName, descriptor: Descriptor): Promise<void>;
  /** Fetches a manifest, and those of its blobs that are damaged or missing. @throws OciError as a pull */
  manifest(repo: RepositoryName, digest: Digest): Promise<void>;
}

/** The repository of a registry that an image of the local store was pulled from. */
export function storeOrigin(open: OpenOrigin): (repo: RepositoryName) => Promise<Origin> {
  return async (repo) => {
    const from = fromStoreName(repo);
    if (from === undefined) throw new OciError('INTERNAL', `${repo} is no name of the store`);
    return { registry: await open(from), path: from.path };
  };
}

/** @param opts.origin Called once for each repository. */
export function repairOf(
  store: Registry,
  checker: BlobChecker,
  { origin, signal }: SignalOption & { readonly origin: (repo: RepositoryName) => Promise<Origin> },
): Repairer {
  const opened = new Map<RepositoryName, Promise<Origin>>();
  const originOf = (repo: RepositoryName): Promise<Origin> => {
    const known = opened.get(repo) ?? origin(repo);
    opened.set(repo, known);
    return known;
  };
  const blob = async (repo: RepositoryName, descriptor: Descriptor): Promise<void> => {
    const { registry, path } = await originOf(repo);
    const source: BlobSource = {
      // The store verifies what it commits.
      open: (offset, opts) => {
        const range = offset > 0 ? { start: offset } : undefined;
        return registry.getBlob(path, descriptor, { range, verify: false, signal: opts?.signal ?? signal });
      },
    };
    await checker.replaceBlob(repo, descriptor, source, { signal });
  };
  return {
    blob,
    async manifest(repo, digest) {
      const { registry, path } = await originOf(repo);
      const { view, bytes, mediaType } = await registry.getManifest(path, digest, { signal });
      for (const { descriptor, optional } of partsOf(view)) {
        const state = await checker.checkBlob(repo, descriptor.digest, { signal });
        if (state === 'damaged' || (state === 'missing' && !optional)) await blob(repo, descriptor);
      }
      await store.pushManifest(repo, { bytes, mediaType }, { digest, sparse: true, signal });
    },
  };
}
