/** A registry that hands out bytes of blobs when a test says so. */
import type { Digest } from '../../src/model/digest.ts';
import { streamContent } from '../../src/registry/content.ts';
import type { Registry } from '../../src/registry/registry.ts';

export interface PacedRegistry extends Registry {
  /** Lets a blob go on up to so many bytes in all, and no further; those before it were held at none. */
  allow(digest: Digest, bytes: number): void;
  /** Holds nothing back any more. */
  release(): void;
}

/** Wraps a registry. @param held Blobs that are held at first. */
export function paced(registry: Registry, held: readonly Digest[]): PacedRegistry {
  const allowed = new Map<Digest, number>(held.map((digest) => [digest, 0]));
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const each of waiting) each();
    waiting.clear();
  };
  return {
    ...registry,
    async getBlob(repo, blob, opts) {
      const digest = typeof blob === 'string' ? blob : blob.digest;
      const content = await registry.getBlob(repo, blob, opts);
      let position = opts?.range?.start ?? 0;
      const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        for await (const chunk of content) {
          for (let rest = chunk; rest.length > 0; ) {
            const free = (allowed.get(digest) ?? Number.POSITIVE_INFINITY) - position;
            if (free <= 0) {
              await new Promise<void>((resolve) => waiting.add(resolve));
              continue;
            }
            const piece = rest.subarray(0, free);
            position += piece.length;
            rest = rest.subarray(piece.length);
            yield piece;
          }
        }
      };
      return streamContent(content.descriptor, chunks(), () => content.cancel());
    },
    allow(digest, bytes) {
      allowed.set(digest, bytes);
      wake();
    },
    release() {
      allowed.clear();
      wake();
    },
  };
}
