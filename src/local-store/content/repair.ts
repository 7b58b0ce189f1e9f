import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { fromStoreName, type Reference, type StoreName } from '../../model/reference/reference.ts';
import type { BlobSource } from '../../registry/content.ts';
import type { BlobChecker } from '../../registry/extensions.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { partsOf } from './survey.ts';

/** Opens the registry that an image was pulled from. */
export type OpenOrigin = (from: Pick<Reference, 'domain' | 'path'>) => Promise<Registry>;

/** Fetches content of the store again, from the registry that its repository is named after. */
export interface Repairer {
  /** @throws OciError as a pull */
  blob(repo: StoreName, descriptor: Descriptor): Promise<void>;
  /** Fetches a manifest, and those of its blobs that are damaged or missing. @throws OciError as a pull */
  manifest(repo: StoreName, digest: Digest): Promise<void>;
}

/** @param opts.origin Opens the registry of a repository; called once for each. */
export function repairOf(
  store: Registry,
  checker: BlobChecker,
  { origin, signal }: SignalOption & { readonly origin: OpenOrigin },
): Repairer {
  const opened = new Map<StoreName, Promise<Registry>>();
  const originOf = async (repo: StoreName) => {
    const from = fromStoreName(repo);
    if (from === undefined) throw new OciError('INTERNAL', `${repo} is no name of the store`);
    const registry = opened.get(repo) ?? origin(from);
    opened.set(repo, registry);
    return { registry: await registry, path: from.path };
  };
  const blob = async (repo: StoreName, descriptor: Descriptor): Promise<void> => {
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
