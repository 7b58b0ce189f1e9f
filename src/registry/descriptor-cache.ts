import type { Digest } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
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
  // A Map keeps the order of insertion: the first entry is the one that was used least.
  const known = new Map<string, Descriptor>();
  const keyOf = (repo: RepositoryName, digest: Digest): string => `${repo}@${digest}`;
  const put = (key: string, descriptor: Descriptor): void => {
    known.delete(key);
    known.set(key, descriptor);
    if (known.size > maxDescriptors) known.delete(known.keys().next().value ?? '');
  };
  return {
    async stat(repo, digest) {
      const key = keyOf(repo, digest);
      const descriptor = known.get(key);
      if (descriptor) put(key, descriptor);
      return descriptor;
    },
    setDescriptor: async (repo, digest, descriptor) => put(keyOf(repo, digest), descriptor),
    clear: async (repo, digest) => void known.delete(keyOf(repo, digest)),
  };
}
