import type { Digest } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { checkNumbers } from '../model/number-options.ts';
import { RecentMap } from '../model/recent-map.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { SignalOption } from './registry.ts';

/** Remembers which blobs a repository holds, and how large they are. What it does not know, the registry is asked. */
export interface BlobDescriptorService {
  /** undefined: not known here, which says nothing about the registry. */
  stat(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<Descriptor | undefined>;
  setDescriptor(repo: RepositoryName, digest: Digest, descriptor: Descriptor, opts?: SignalOption): Promise<void>;
  /** Forgets one; idempotent. */
  clear(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<void>;
}

export interface DescriptorCacheOptions {
  /** What was not used for the longest time goes first. Default 10 000. */
  readonly maxDescriptors?: number | undefined;
}

/** One in memory. */
export function createDescriptorCache({ maxDescriptors = 10_000 }: DescriptorCacheOptions = {}): BlobDescriptorService {
  checkNumbers({ maxDescriptors }, { maxDescriptors: 0 });
  const known = new RecentMap<string, Descriptor>(maxDescriptors);
  const keyOf = (repo: RepositoryName, digest: Digest): string => `${repo}@${digest}`;
  return {
    stat: async (repo, digest) => known.get(keyOf(repo, digest)),
    setDescriptor: async (repo, digest, descriptor) => known.set(keyOf(repo, digest), descriptor),
    clear: async (repo, digest) => known.delete(keyOf(repo, digest)),
  };
}
