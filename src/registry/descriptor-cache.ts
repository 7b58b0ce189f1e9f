import { checkOptions, type Shape } from '../model/check-arguments.ts';
import type { Digest } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { checkNumbers } from '../model/number-options.ts';
import { RecentMap } from '../model/recent-map.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { SignalOption } from './registry.ts';

/** A cache of which blobs a repository holds, and their sizes. On a miss the registry is asked. */
export interface BlobDescriptorService {
  /** Undefined if the blob is not in the cache; the registry may still have it. */
  stat(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<Descriptor | undefined>;
  /** Remembers a blob of a repository, in place of what was known of it. */
  setDescriptor(repo: RepositoryName, digest: Digest, descriptor: Descriptor, opts?: SignalOption): Promise<void>;
  /** Removes one entry. Idempotent. */
  clear(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<void>;
}

export interface DescriptorCacheOptions {
  /** Past this number the least recently used descriptor is removed. Default 10 000. */
  readonly maxDescriptors?: number | undefined;
}

const createDescriptorCacheShape: Shape<DescriptorCacheOptions> = {
  maxDescriptors: 'number',
};

/** A cache in memory. */
export function createDescriptorCache(options: DescriptorCacheOptions = {}): BlobDescriptorService {
  checkOptions('createDescriptorCache', options, createDescriptorCacheShape);
  const { maxDescriptors = 10_000 } = options;
  checkNumbers({ maxDescriptors }, { maxDescriptors: 0 });
  const known = new RecentMap<string, Descriptor>(maxDescriptors);
  const keyOf = (repo: RepositoryName, digest: Digest): string => `${repo}@${digest}`;
  return {
    stat: async (repo, digest) => known.get(keyOf(repo, digest)),
    setDescriptor: async (repo, digest, descriptor) => known.set(keyOf(repo, digest), descriptor),
    clear: async (repo, digest) => known.delete(keyOf(repo, digest)),
  };
}
